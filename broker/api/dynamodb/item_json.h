// Items and their values in JSON, as requests and answers have them: {"leaseKey": {"S": "shardId-000000000000"}}. The
// same text is what the broker keeps. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "broker/api/dynamodb/attribute_value.h"
#include "broker/api/dynamodb/errors.h"
#include "protocol/aws/document.h"
#include "protocol/aws/writer.h"

namespace sluice::broker::dynamodb {

inline constexpr std::size_t kItemBytesMax = 400u << 10;  // as SizeOf counts
/// Lists and maps within each other, as a JSON document has them: two for each of DynamoDB's.
inline constexpr std::size_t kItemDepthMax = 60;
/// Of all lists and maps, with their names.
inline constexpr std::size_t kItemValuesMax = protocol::aws::Document::kValuesMax;
static_assert(kItemDepthMax < protocol::aws::Document::kDepthMax);

ApiResult<AttributeValue> ReadAttributeValue(protocol::aws::Value json);
/// Of any map of names to values.
ApiResult<Item> ReadItem(protocol::aws::Value json);

void WriteAttributeValue(protocol::aws::Writer& writer, const AttributeValue& value);
void WriteItem(protocol::aws::Writer& writer, const Item& item);

/// Whether it may be kept: ValidationException, in DynamoDB's words, where it is too large or too deep.
ApiResult<void> CheckItemSize(const Item& item);

/// As it is kept; the same text for the same item.
std::string EncodeItem(const Item& item);
/// kCorruption where `text` is not what EncodeItem gives.
Result<Item> DecodeItem(std::string_view text);

}  // namespace sluice::broker::dynamodb
