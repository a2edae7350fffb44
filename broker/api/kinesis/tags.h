// Tags of streams and of their consumers: what they may be, in AWS's words, and what the operations on them share.
// Thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "broker/api/kinesis/context.h"
#include "broker/stream_catalog.h"
#include "protocol/aws/document.h"
#include "protocol/aws/writer.h"

namespace sluice::broker::kinesis {

using Tags = std::map<std::string, std::string>;
inline constexpr std::size_t kTagsMax = 50;  // of one stream or consumer

/// How an error names what is tagged.
struct TagTarget {
  std::string_view kind;   // "stream", "resource"
  std::string name;        // "stream orders", "resource arn:aws:.."
  std::string consumer{};  // of the stream; empty: the stream itself
};

/// The tags of a map in an input; a later one of the same key counts.
Tags ReadTags(protocol::aws::Value map);
/// An error for characters that tags cannot have and for AWS's own tags.
std::optional<protocol::aws::ApiError> CheckTags(const Tags& tags, const TagTarget& target, const aws::Caller& caller);
/// An error for more than kTagsMax.
std::optional<protocol::aws::ApiError> CheckTagCount(const Tags& tags, const TagTarget& target,
                                                     const aws::Caller& caller);

/// Adds the call's Tags. Blocks.
ApiResult<std::string> AddTags(const Context& context, const aws::Call& call, const StreamPtr& stream,
                               const TagTarget& target);
/// Removes the call's TagKeys, of one of its consumers where that is named. Blocks.
ApiResult<std::string> RemoveTags(const Context& context, const aws::Call& call, const ApiResult<StreamPtr>& found,
                                  const std::string& consumer = {});

}  // namespace sluice::broker::kinesis
