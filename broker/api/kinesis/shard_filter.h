// ShardFilter of ListShards: which of a stream's shards are meant. Values only; thread-safe.
//
// A shard was open at a time from its creation until it was closed, which is when its children were created: at every
// time the shards that were open then cover all hash keys.
#pragma once

#include <cstdint>
#include <vector>

#include "broker/api/kinesis/context.h"
#include "broker/stream_catalog.h"
#include "protocol/aws/document.h"

namespace sluice::broker::kinesis {

struct ShardFilter {
  enum class Kind : std::uint8_t {
    kAll = 0,
    kOpen = 1,    // now
    kOpenAt = 2,  // at `time_ms`
    kFrom = 3,    // those that were open at `time_ms`, and all later ones
  };
  Kind kind = Kind::kAll;
  std::int64_t time_ms = 0;
  friend bool operator==(const ShardFilter&, const ShardFilter&) = default;
};

/// The filter that a request's ShardFilter names. Times before the horizon are the horizon.
ApiResult<ShardFilter> ReadShardFilter(const Context& context, protocol::aws::Value filter, const StreamInfo& stream);

bool Passes(const ShardInfo& shard, const ShardFilter& filter);

/// Since when the stream has all shards that were open: its creation, its retention period ago, or when the children
/// of the last shards that it has forgotten were created.
std::int64_t TrimHorizonMs(const StreamInfo& stream, std::int64_t now_ms);

}  // namespace sluice::broker::kinesis
