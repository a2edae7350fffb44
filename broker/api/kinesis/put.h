// What PutRecord and PutRecords share: where a record goes, whether it is small enough, and whether its shard is
// limited.
//
// A record's partition key is the key of the stored record, its data the value. An ExplicitHashKey only chooses the
// shard and is not kept, as no operation gives it back.
//
// Threads: on the call's loop.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/aws/put.h"
#include "broker/api/kinesis/context.h"
#include "broker/stream_catalog.h"
#include "protocol/aws/document.h"
#include "protocol/aws/shape.h"

namespace sluice::broker::kinesis {

/// Adds Data, PartitionKey and ExplicitHashKey to the structure that has them.
protocol::aws::Shape WithRecordMembers(protocol::aws::Shape structure);

using aws::PutDone;
using aws::PutEntry;
using aws::PutResult;
using aws::PutResults;

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

/// Appends durably; waits first while the broker has no room. `done` runs on the call's loop.
void Put(const Context& context, aws::CallPtr call, StreamPtr stream, std::vector<PutEntry> entries, PutDone done);

}  // namespace sluice::broker::kinesis
