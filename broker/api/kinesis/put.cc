// Building batches and waiting for all of them.
#include "broker/api/kinesis/put.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/shapes.h"
#include "protocol/batch.h"
#include "protocol/check.h"
#include "protocol/frame.h"

namespace sluice::broker::kinesis {

using protocol::aws::Required;
using protocol::aws::Shape;
using protocol::aws::Value;

namespace {

/// What a record adds to a batch besides key and data: some lengths and a number.
constexpr std::size_t kRecordOverheadMax = 32;

/// A request's appends until the last of them is answered.
struct PendingPut {
  aws::CallPtr call;  // keeps the input
  StreamPtr stream;
  std::vector<PutEntry> entries;
  PutDone done;
  PutResults results;
  std::size_t appends_left = 0;
};
using PendingPtr = std::shared_ptr<PendingPut>;

/// One batch and the entries in it.
struct ShardBatch {
  ShardIndex shard;
  std::vector<std::size_t> entries;
  protocol::BatchBuilder builder;
};

/// One batch for each shard, or several where one would be over the limit; a shard's batches in the entries' order.
std::vector<ShardBatch> BuildBatches(const std::vector<PutEntry>& entries, std::int64_t now_ms, std::size_t bytes_max) {
  struct Open {
    std::size_t bytes_left = protocol::kBatchHeaderSize;  // of the shard's entries that are in no batch yet
    std::optional<std::size_t> batch;                     // its last one
  };
  std::map<ShardIndex, Open> shards;
  for (const PutEntry& entry : entries) shards[entry.shard].bytes_left += entry.bytes + kRecordOverheadMax;
  std::vector<ShardBatch> batches;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const PutEntry& entry = entries[i];
    if (entry.throttled) continue;
    const std::size_t bytes = entry.bytes + kRecordOverheadMax;
    Open& open = shards[entry.shard];
    if (!open.batch || batches[*open.batch].builder.size_bytes() + bytes > bytes_max) {
      open.batch = batches.size();
      batches.push_back({.shard = entry.shard, .entries = {}, .builder = protocol::BatchBuilder()});
      batches.back().builder.Reserve(std::min(open.bytes_left, bytes_max));
    }
    ShardBatch& batch = batches[*open.batch];
    batch.builder.AddFilled(now_ms, entry.key, protocol::aws::BlobBytes(entry.data),
                            [&](char* to) { protocol::aws::CopyBytes(entry.data, to); });
    batch.entries.push_back(i);
    open.bytes_left -= bytes;
  }
  return batches;
}

protocol::FrameBuffer FinishBatch(protocol::BatchBuilder& builder) {
  std::string bytes;
  builder.Finish(bytes);
  protocol::FrameBuffer buffer(bytes.size());
  std::ranges::copy(bytes, buffer.batch().begin());
  return buffer;
}

void TakeAnswer(PendingPut& put, const std::vector<std::size_t>& entries, const Result<storage::Appended>& answer) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    put.results[entries[i]] = answer;
    if (answer) put.results[entries[i]]->base_offset = answer->base_offset + i;
  }
  SLUICE_CHECK(put.appends_left > 0);
  if (--put.appends_left == 0) put.done(put.results);
}

void Start(const Context& context, PendingPtr put) {
  EventLoop& loop = put->call->loop();
  // The call holds the request's bytes while it waits, and its connection sends no more: so memory stays bounded.
  if (context.parts.appends.overloaded()) {
    return context.parts.appends.WhenReady(loop, [&context, put = std::move(put)] { Start(context, put); });
  }
  std::vector<ShardBatch> batches =
      BuildBatches(put->entries, context.parts.clock.WallMs(), context.parts.append_options.batch_bytes_max);
  if (batches.empty()) return put->done(put->results);
  put->appends_left = batches.size();
  for (ShardBatch& batch : batches) {
    AppendRequest request{.stream = put->stream->id,
                          .shard = batch.shard,
                          .ack = storage::AckMode::kDurable,
                          .batch = FinishBatch(batch.builder)};
    context.parts.appends.Append(
        loop, std::move(request),
        [put, entries = std::move(batch.entries)](const auto& answer) { TakeAnswer(*put, entries, answer); });
  }
}

}  // namespace

Shape WithRecordMembers(Shape structure) {
  static const Shape data = Shape::Blob().Length(0, 10'485'760);
  static const Shape key = Shape::Text().Length(1, 256);
  static const Shape hash_key = Shape::Text().Pattern(R"(^(0|([1-9]\d{0,38}))$)");
  return std::move(structure)
      .Member("Data", data, Required::kYes)
      .Member("PartitionKey", key)
      .Member("ExplicitHashKey", hash_key);
}

ApiResult<PutEntry> ReadEntry(const Context& context, const StreamInfo& stream, Value record) {
  const Value data = *record.Find("Data");
  PutEntry entry{.key = {}, .data = data, .shard = {}, .bytes = protocol::aws::BlobBytes(data)};
  if (const auto key = record.Find("PartitionKey")) entry.key = key->text();
  entry.bytes += entry.key.value_or("").size();
  if (stream.kinesis.auto_distribution) {
    const auto& shards = stream.shards.ranges();
    entry.shard = shards[context.parts.random.Next() % shards.size()].shard;
    return entry;
  }
  const auto explicit_key = record.Find("ExplicitHashKey");
  if (!explicit_key) {
    entry.shard = stream.shards.FindByPartitionKey(entry.key.value_or(""));
    return entry;
  }
  const auto hash_key = protocol::ParseHashKey(explicit_key->text());
  if (!hash_key) {
    return std::unexpected(InvalidArgument(
        fmt::format("Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was "
                    "{}",
                    explicit_key->text())));
  }
  entry.shard = stream.shards.Find(*hash_key);
  return entry;
}

bool LacksKey(const StreamInfo& stream, const PutEntry& entry) {
  return !entry.key && !stream.kinesis.auto_distribution;
}

std::string NullKey(std::string_view place) {
  return fmt::format("Value null at '{}partitionKey' failed to satisfy constraint: Member must not be null", place);
}

std::size_t RecordBytesMax(const Context& context, const StreamInfo& stream) {
  const AppendOptions& options = context.parts.append_options;
  const std::uint64_t batch_room = options.batch_bytes_max - protocol::kBatchHeaderSize - kRecordOverheadMax;
  return std::min({std::uint64_t{stream.kinesis.record_kib_max} << 10, options.record_bytes_max, batch_room});
}

std::string TooLarge(std::string_view place, std::size_t bytes_max) {
  return fmt::format("Value at '{}data' failed to satisfy constraint: Member must have length less than or equal to {}",
                     place, bytes_max);
}

void Throttle(const Context& context, const StreamInfo& stream, std::span<PutEntry> entries) {
  if (context.throttle == nullptr) return;
  for (PutEntry& entry : entries) {
    entry.throttled = !context.throttle->TakeWrite({stream.id, entry.shard}, entry.bytes);
  }
}

void Put(const Context& context, aws::CallPtr call, StreamPtr stream, std::vector<PutEntry> entries, PutDone done) {
  SLUICE_CHECK(!entries.empty());
  auto put = std::make_shared<PendingPut>();
  put->results.assign(entries.size(), Error(Code::kInternal, "not answered"));
  put->call = std::move(call);
  put->stream = std::move(stream);
  put->entries = std::move(entries);
  put->done = std::move(done);
  Start(context, std::move(put));
}

}  // namespace sluice::broker::kinesis
