// What PutRecord and PutRecords share: where a record goes, whether it is small enough, and appending a request's
// records, one batch per shard. A client never learns of a split or merge: what meets a closed shard goes to its
// children.
//
// A record's partition key is the key of the stored record, its data the value. An ExplicitHashKey only chooses the
// shard and is not kept, as no operation gives it back.
//
// Threads: on the call's loop.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/kinesis/context.h"
#include "broker/stream_catalog.h"
#include "protocol/aws/document.h"
#include "protocol/aws/shape.h"
#include "protocol/hash_key.h"
#include "storage/log_writer.h"

namespace sluice::broker::kinesis {

/// Adds Data, PartitionKey and ExplicitHashKey to the structure that has them.
protocol::aws::Shape WithRecordMembers(protocol::aws::Shape structure);

/// One record of a request; views into the call's input.
struct PutEntry {
  std::optional<std::string_view> key;  // streams that distribute by themselves need none
  protocol::aws::Value data;
  protocol::HashKey hash;  // of the partition key, the explicit one, or any where the stream distributes by itself
  std::size_t bytes = 0;   // key and data
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

/// Of one entry: where it is, with its own offset, or why it was not appended.
struct PutResult {
  const ShardInfo* shard;  // as good as the PutResults; of what was appended or throttled
  Result<storage::Appended> appended;
  bool throttled = false;  // shards are limited, and this one takes no more now
};
/// Of each entry, in their order.
using PutResults = std::vector<PutResult>;
using PutDone = std::move_only_function<void(const PutResults&)>;

/// Appends durably; waits first while the broker has no room. `done` runs on the call's loop.
void Put(const Context& context, aws::CallPtr call, StreamPtr stream, std::vector<PutEntry> entries, PutDone done);

}  // namespace sluice::broker::kinesis
