// What a split, a merge or a new shard count means for a stream's shards: which of them end, and which follow.
//
// A reshard is a list of changes that come into force together. A new shard count is reached in rounds of splits in two
// and merges of two, as Kinesis does it, so that readers meet nothing else; each round begins with the shards that are
// there then, and one that a crash has cut short goes on when it is asked for again. Values only; thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "broker/stream_catalog.h"
#include "protocol/hash_key.h"
#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::broker {

/// Some open shards end, and others take over their hash keys.
struct ShardChange {
  std::vector<ShardIndex> parents;        // one, or two that touch; the lower one first
  std::vector<protocol::HashKey> starts;  // of the children, ascending; the first one is where the parents begin
  friend bool operator==(const ShardChange&, const ShardChange&) = default;
};

/// `start` is the first hash key of the upper child. kNotFound: no such shard; kFailedPrecondition: it is closed;
/// kInvalidArgument: a child would have no hash keys.
Result<ShardChange> PlanSplit(const StreamInfo& stream, ShardIndex shard, protocol::HashKey start);

/// In either order. The same codes; kInvalidArgument: the two do not touch.
Result<ShardChange> PlanMerge(const StreamInfo& stream, ShardIndex shard, ShardIndex adjacent);

/// The next round on the way to `count` open shards with equal ranges (protocol::ShardMap::Uniform); empty where that
/// is reached. `count` is 1 to StreamCatalog::kShardsMax.
std::vector<ShardChange> PlanResize(const StreamInfo& stream, std::uint32_t count);

/// The logs' ends of the shards that end.
using ShardEnds = std::map<ShardIndex, Offset>;

/// Puts the changes into force. Children get the next numbers, in the order of the changes. kFailedPrecondition where a
/// parent is not open; kResourceExhausted where the stream would have more shards than it may.
Status ApplyChanges(StreamInfo& stream, const std::vector<ShardChange>& changes, const ShardEnds& ends,
                    std::int64_t now_ms);

}  // namespace sluice::broker
