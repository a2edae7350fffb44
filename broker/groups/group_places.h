// Where a stream's shards stand, for its groups: what the catalog and the log say, and where a new group begins.
//
// Threads: any that may block.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "broker/groups/group_codec.h"
#include "broker/groups/group_state.h"
#include "broker/stream_catalog.h"
#include "storage/log_store.h"

namespace sluice::broker::groups {

/// Of all shards that the stream has, ascending. A closed one ends where its log ends.
std::vector<ShardFacts> FactsOf(const StreamInfo& stream, storage::LogStore& store);

/// The first record of a shard that a start means. A closed shard's latest is its end.
Result<Offset> OffsetOf(storage::ShardLog& log, const GroupStart& start);

/// When the record at `next`, or the first one behind it, was appended; nullopt at the end and where it cannot be read.
/// From memory, or one read of the disk.
std::optional<std::int64_t> AppendTimeMs(storage::ShardLog& log, Offset next);

}  // namespace sluice::broker::groups
