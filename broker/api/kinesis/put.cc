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
  aws::CallPtr call;               // keeps the input
  std::vector<StreamPtr> streams;  // the stream, and as it was after each reshard that the put has met
  std::vector<PutEntry> entries;
  PutDone done;
  PutResults results;
  std::vector<std::size_t> to_send;  // entries that are in no shard yet
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
std::vector<ShardBatch> BuildBatches(const PendingPut& put, std::int64_t now_ms, std::size_t bytes_max) {
  struct Open {
    std::size_t bytes_left = protocol::kBatchHeaderSize;  // of the shard's entries that are in no batch yet
    std::optional<std::size_t> batch;                     // its last one
  };
  const protocol::ShardMap& map = put.streams.back()->shards;
  std::map<ShardIndex, Open> shards;
  for (const std::size_t i : put.to_send) {
    shards[map.Find(put.entries[i].hash)].bytes_left += put.entries[i].bytes + kRecordOverheadMax;
  }
  std::vector<ShardBatch> batches;
  for (const std::size_t i : put.to_send) {
    const PutEntry& entry = put.entries[i];
    const ShardIndex shard = map.Find(entry.hash);
    const std::size_t bytes = entry.bytes + kRecordOverheadMax;
    Open& open = shards[shard];
    if (!open.batch || batches[*open.batch].builder.size_bytes() + bytes > bytes_max) {
      open.batch = batches.size();
      batches.push_back({.shard = shard, .entries = {}, .builder = protocol::BatchBuilder()});
      batches.back().builder.Reserve(std::min(open.bytes_left, bytes_max));
    }
    open.bytes_left -= bytes;
    ShardBatch& batch = batches[*open.batch];
    batch.builder.AddFilled(now_ms, entry.key, protocol::aws::BlobBytes(entry.data),
                            [&](char* to) { protocol::aws::CopyBytes(entry.data, to); });
    batch.entries.push_back(i);
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

/// What is left of a batch while it is on its way.
struct SentBatch {
  const ShardInfo* shard;
  std::vector<std::size_t> entries;
};

void Start(const Context& context, PendingPtr put);

/// The shard was split or merged: its entries go to the shards that have their keys now. Only when all answers are
/// here, so that records of a key stay in their order.
void SendAgain(const Context& context, const PendingPtr& put) {
  auto stream = context.parts.catalog.Find(put->streams.back()->id);
  if (stream) {
    put->streams.push_back(std::move(*stream));
    return Start(context, put);
  }
  for (const std::size_t i : put->to_send) put->results[i].appended = Error(stream.error());
  put->done(put->results);
}

void TakeAnswer(const Context& context, const PendingPtr& put, const SentBatch& batch,
                const Result<storage::Appended>& answer) {
  const bool closed = !answer && answer.error().code() == Code::kShardClosed;
  for (std::size_t i = 0; i < batch.entries.size(); ++i) {
    PutResult& result = put->results[batch.entries[i]];
    result = {.shard = batch.shard, .appended = answer};
    if (answer) result.appended->base_offset = answer->base_offset + i;
  }
  if (closed) put->to_send.insert(put->to_send.end(), batch.entries.begin(), batch.entries.end());
  SLUICE_CHECK(put->appends_left > 0);
  if (--put->appends_left > 0) return;
  if (put->to_send.empty()) return put->done(put->results);
  std::ranges::sort(put->to_send);
  SendAgain(context, put);
}

void Start(const Context& context, PendingPtr put) {
  EventLoop& loop = put->call->loop();
  // The call holds the request's bytes while it waits, and its connection sends no more: so memory stays bounded.
  if (context.parts.appends.overloaded()) {
    return context.parts.appends.WhenReady(loop, [&context, put = std::move(put)] { Start(context, put); });
  }
  std::vector<ShardBatch> batches =
      BuildBatches(*put, context.parts.clock.WallMs(), context.parts.append_options.batch_bytes_max);
  put->to_send.clear();
  put->appends_left = batches.size();
  for (ShardBatch& batch : batches) {
    AppendRequest request{.stream = put->streams.back()->id,
                          .shard = batch.shard,
                          .ack = storage::AckMode::kDurable,
                          .batch = FinishBatch(batch.builder)};
    SentBatch sent{put->streams.back()->FindShard(batch.shard), std::move(batch.entries)};
    context.parts.appends.Append(loop, std::move(request), [&context, put, sent = std::move(sent)](const auto& answer) {
      TakeAnswer(context, put, sent, answer);
    });
  }
}

}  // namespace

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
  const AppendOptions& options = context.parts.append_options;
  const std::uint64_t batch_room = options.batch_bytes_max - protocol::kBatchHeaderSize - kRecordOverheadMax;
  return std::min({std::uint64_t{stream.kinesis.record_kib_max} << 10, options.record_bytes_max, batch_room});
}

std::string TooLarge(std::string_view place, std::size_t bytes_max) {
  return fmt::format("Value at '{}data' failed to satisfy constraint: Member must have length less than or equal to {}",
                     place, bytes_max);
}

void Put(const Context& context, aws::CallPtr call, StreamPtr stream, std::vector<PutEntry> entries, PutDone done) {
  SLUICE_CHECK(!entries.empty());
  auto put = std::make_shared<PendingPut>();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    PutResult& result = put->results.emplace_back(nullptr, Error(Code::kInternal, "not answered"));
    if (context.throttle != nullptr) {
      result.shard = stream->FindShard(stream->shards.Find(entries[i].hash));
      result.throttled = !context.throttle->TakeWrite({stream->id, result.shard->shard}, entries[i].bytes);
    }
    if (!result.throttled) put->to_send.push_back(i);
  }
  if (put->to_send.empty()) return done(put->results);
  put->call = std::move(call);
  put->streams.push_back(std::move(stream));
  put->entries = std::move(entries);
  put->done = std::move(done);
  Start(context, std::move(put));
}

}  // namespace sluice::broker::kinesis
