// What PutRecord and PutRecords share: where a record goes, whether it is small enough, and appending a request's
// records, one batch per shard.
//
// A record's partition key is the key of the stored record, its data the value. An ExplicitHashKey only chooses the
// shard and is not kept, as no operation gives it back.
//
// Threads: on the call's loop.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/kinesis/context.h"
#include "broker/stream_catalog.h"
#include "protocol/aws/document.h"
#include "protocol/aws/shape.h"
#include "storage/log_writer.h"

namespace sluice::broker::kinesis {

/// Adds Data, PartitionKey and ExplicitHashKey to the structure that has them.
protocol::aws::Shape WithRecordMembers(protocol::aws::Shape structure);

/// One record of a request; views into the call's input.
struct PutEntry {
  std::optional<std::string_view> key;  // streams that distribute by themselves need none
  protocol::aws::Value data;
  ShardIndex shard;
  std::size_t bytes = 0;  // key and data
  bool throttled = false;
};

/// `record` is a map with Data and perhaps PartitionKey and ExplicitHashKey.
ApiResult<PutEntry> ReadEntry(const Context& context, const StreamInfo& stream, protocol::aws::Value record);

/// Whether the stream needs a key where the entry has none.
bool LacksKey(const StreamInfo& stream, const PutEntry& entry);
/// What is wrong with such a record; `place` is "records.1.member." or nothing.
std::string NullKey(std::string_view place);

/// The largest record that the stream takes, key and data together.
std::size_t RecordBytesMax(const Context& context, const StreamInfo& stream);
/// What is wrong with a record that is larger.
std::string TooLarge(std::string_view place, std::size_t bytes_max);

/// Of each entry, in their order: its own offset, or why it was not appended.
using PutResults = std::vector<Result<storage::Appended>>;
using PutDone = std::move_only_function<void(const PutResults&)>;

/// Marks what its shard does not take now, where shards are limited.
void Throttle(const Context& context, const StreamInfo& stream, std::span<PutEntry> entries);

/// Appends durably all that is not throttled; waits first while the broker has no room. `done` runs on the call's loop.
void Put(const Context& context, aws::CallPtr call, StreamPtr stream, std::vector<PutEntry> entries, PutDone done);

}  // namespace sluice::broker::kinesis
