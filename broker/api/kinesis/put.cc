// Reading and checking of entries.
#include "broker/api/kinesis/put.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/shapes.h"

namespace sluice::broker::kinesis {

using protocol::aws::Required;
using protocol::aws::Shape;
using protocol::aws::Value;

Shape WithRecordMembers(Shape structure) {
  static const Shape data = Shape::Blob().Length(0, 10'485'760);
  static const Shape key = Shape::Text().Length(1, 256);
  return std::move(structure)
      .Member("Data", data, Required::kYes)
      .Member("PartitionKey", key)
      .Member("ExplicitHashKey", HashKeyShape());
}

ApiResult<PutEntry> ReadEntry(const Context& context, const StreamInfo& stream, Value record) {
  const Value data = *record.Find("Data");
  PutEntry entry{.key = {}, .data = data, .hash = {}, .bytes = protocol::aws::BlobBytes(data)};
  if (const auto key = record.Find("PartitionKey")) entry.key = key->text();
  entry.bytes += entry.key.value_or("").size();
  if (stream.kinesis.auto_distribution) {
    entry.hash = {.high = context.parts.random.Next(), .low = context.parts.random.Next()};
    return entry;
  }
  const auto explicit_key = record.Find("ExplicitHashKey");
  if (!explicit_key) {
    entry.hash = protocol::HashPartitionKey(entry.key.value_or(""));
    return entry;
  }
  const auto hash_key = protocol::ParseHashKey(explicit_key->text());
  if (!hash_key) {
    return std::unexpected(InvalidArgument(
        fmt::format("Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was "
                    "{}",
                    explicit_key->text())));
  }
  entry.hash = *hash_key;
  return entry;
}

bool LacksKey(const StreamInfo& stream, const PutEntry& entry) {
  return !entry.key && !stream.kinesis.auto_distribution;
}

std::string NullKey(std::string_view place) {
  return fmt::format("Value null at '{}partitionKey' failed to satisfy constraint: Member must not be null", place);
}

std::size_t RecordBytesMax(const Context& context, const StreamInfo& stream) {
  return std::min(std::size_t{stream.kinesis.record_kib_max} << 10, aws::RecordRoom(context.parts.append_options));
}

std::string TooLarge(std::string_view place, std::size_t bytes_max) {
  return fmt::format("Value at '{}data' failed to satisfy constraint: Member must have length less than or equal to {}",
                     place, bytes_max);
}

void Put(const Context& context, aws::CallPtr call, StreamPtr stream, std::vector<PutEntry> entries, PutDone done) {
  const KinesisParts& parts = context.parts;
  for (PutEntry& entry : entries) {
    if (context.throttle == nullptr) break;
    const ShardIndex shard = stream->shards.Find(entry.hash);
    entry.throttled = !context.throttle->TakeWrite({stream->id, shard}, entry.bytes);
  }
  aws::Put({.catalog = parts.catalog,
            .appends = parts.appends,
            .clock = parts.clock,
            .batch_bytes_max = parts.append_options.batch_bytes_max},
           std::move(call), std::move(stream), std::move(entries), std::move(done));
}

}  // namespace sluice::broker::kinesis
