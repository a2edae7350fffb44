// What tags may be, in AWS's words. Thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "broker/api/aws/operation.h"
#include "protocol/aws/document.h"
#include "protocol/aws/error.h"

namespace sluice::broker::kinesis {

using Tags = std::map<std::string, std::string>;
inline constexpr std::size_t kTagsMax = 50;  // of one stream

/// The tags of a map in an input; a later one of the same key counts.
Tags ReadTags(protocol::aws::Value map);
/// For more than kTagsMax. `target` is "stream orders" or "resource ARN", `kind` its first word.
protocol::aws::ApiError TooManyTags(std::string_view target, std::string_view kind, const aws::Caller& caller);
/// An error for characters that tags cannot have and for AWS's own tags.
std::optional<protocol::aws::ApiError> CheckTags(const Tags& tags, std::string_view target, const aws::Caller& caller);

}  // namespace sluice::broker::kinesis
