// Documents of the API that are read, changed and written: a delivery stream's configuration is kept as it was given,
// told with defaults, and merged with updates. The tree is the one that the delivery stage reads its files into.
//
// Values only; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/delivery/config_document.h"
#include "protocol/aws/document.h"
#include "protocol/aws/shape.h"
#include "protocol/aws/writer.h"

namespace sluice::broker::firehose {

using Json = delivery::ConfigNode;

/// What the shape knows of a value that has passed its checks.
Json FromValue(protocol::aws::Value value, const protocol::aws::Shape& shape);
/// The constraints of a shape that a tree breaks, in AWS's words; nullopt: none.
std::optional<protocol::aws::ApiError> CheckConstraints(const Json& value, const protocol::aws::Shape& shape);
/// A text that ToJson or the delivery stage wrote.
Json FromKept(std::string_view text);
std::string ToJson(const Json& value);
void Write(const Json& value, protocol::aws::Writer& writer);

Json TextNode(std::string_view text);
Json NumberNode(std::int64_t number);
Json BooleanNode(bool value);
Json MapNode();
Json ListNode();

/// A member of a map; nullptr where it is absent, or `map` is none.
const Json* Find(const Json& map, std::string_view name);
const Json* Find(const Json* map, std::string_view name);
/// Empty and 0 and `otherwise` where the member is absent.
std::string_view TextOf(const Json* map, std::string_view name);
std::int64_t NumberOf(const Json* map, std::string_view name);
bool BooleanOf(const Json* map, std::string_view name, bool otherwise);

/// Behind the others where it is new.
void Set(Json& map, std::string_view name, Json value);
void SetDefault(Json& map, std::string_view name, Json value);
/// Sets these members of the map `name`, which is made where it is not there.
void SetMembers(Json& map, std::string_view name, const Json& members);
void Remove(Json& map, std::string_view name);

/// The same values, whatever the order of the members.
bool Same(const Json& a, const Json& b);

}  // namespace sluice::broker::firehose
