// Building batches and waiting for all of them.
#include "broker/api/aws/put.h"

#include <algorithm>
#include <boost/container/flat_map.hpp>
#include <boost/container/small_vector.hpp>
#include <memory>
#include <utility>

#include "broker/api/aws/spare_memory.h"
#include "protocol/batch.h"
#include "protocol/check.h"
#include "protocol/frame.h"

namespace sluice::broker::aws {
namespace {

/// Most puts have one record, which then needs no memory of its own for it.
template <typename T>
using Few = boost::container::small_vector<T, 1>;

/// A request's appends until the last of them is answered.
struct PendingPut {
  PutParts parts;
  CallPtr call;            // keeps the input
  Few<StreamPtr> streams;  // the stream, and as it was after each reshard that the put has met
  std::vector<PutEntry> entries;
  PutDone done;
  PutResults results;
  Few<std::size_t> to_send;  // entries that are in no shard yet
  std::size_t appends_left = 0;
};
using PendingPtr = std::shared_ptr<PendingPut>;

/// One batch and the entries in it.
struct ShardBatch {
  ShardIndex shard;
  Few<std::size_t> entries;
  protocol::BatchBuilder builder;
};

/// Of a batch with so many bytes in memory.
protocol::BatchBuilder NewBuilder(std::size_t bytes) {
  const bool small = protocol::kFrameHeaderSize + bytes <= SpareMemory::kBytes;
  protocol::BatchBuilder builder(protocol::Compression::kNone, protocol::kFrameHeaderSize,
                                 small ? SpareMemory::Take() : std::string());
  builder.Reserve(bytes);
  return builder;
}

/// One batch for each shard, or several where one would be over the limit; a shard's batches in the entries' order.
Few<ShardBatch> BuildBatches(const PendingPut& put, std::int64_t now_ms, std::size_t bytes_max) {
  struct Open {
    std::size_t bytes_left = protocol::kBatchHeaderSize;  // of the shard's entries that are in no batch yet
    std::optional<std::size_t> batch;                     // its last one
  };
  const protocol::ShardMap& map = put.streams.back()->shards;
  Few<ShardBatch> batches;
  boost::container::small_flat_map<ShardIndex, Open, 1> shards;
  for (const std::size_t i : put.to_send) {
    shards[map.Find(put.entries[i].hash)].bytes_left += put.entries[i].bytes + kRecordOverheadMax;
  }
  for (const std::size_t i : put.to_send) {
    const PutEntry& entry = put.entries[i];
    const ShardIndex shard = map.Find(entry.hash);
    const std::size_t bytes = entry.bytes + kRecordOverheadMax;
    Open& open = shards[shard];
    if (!open.batch || batches[*open.batch].builder.size_bytes() + bytes > bytes_max) {
      open.batch = batches.size();
      batches.push_back({.shard = shard, .entries = {}, .builder = NewBuilder(std::min(open.bytes_left, bytes_max))});
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
  thread_local protocol::FrameArena frames;  // of the loop
  std::string bytes;
  builder.Finish(bytes);
  protocol::FrameBuffer buffer = frames.Adopt(bytes);
  SpareMemory::Give(std::move(bytes));  // what is left of it
  return buffer;
}

/// What is left of a batch while it is on its way.
struct SentBatch {
  const ShardInfo* shard;
  Few<std::size_t> entries;
};

void Start(PendingPtr put);

/// The shard was split or merged: its entries go to the shards that have their keys now. Only when all answers are
/// here, so that records of a key stay in their order.
void SendAgain(const PendingPtr& put) {
  auto stream = put->parts.catalog.Find(put->streams.back()->id);
  if (stream) {
    put->streams.push_back(std::move(*stream));
    return Start(put);
  }
  for (const std::size_t i : put->to_send) put->results[i].appended = Error(stream.error());
  put->done(put->results);
}

void TakeAnswer(const PendingPtr& put, const SentBatch& batch, const Result<storage::Appended>& answer) {
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
  SendAgain(put);
}

void Start(PendingPtr put) {
  EventLoop& loop = put->call->loop();
  // The call holds the request's bytes while it waits, and its connection sends no more: so memory stays bounded.
  if (put->parts.appends.overloaded()) {
    return put->parts.appends.WhenReady(loop, [put = std::move(put)] { Start(put); });
  }
  Few<ShardBatch> batches = BuildBatches(*put, put->parts.clock.WallMs(), put->parts.batch_bytes_max);
  put->to_send.clear();
  put->appends_left = batches.size();
  for (ShardBatch& batch : batches) {
    AppendRequest request{.stream = put->streams.back()->id,
                          .shard = batch.shard,
                          .ack = storage::AckMode::kDurable,
                          .batch = FinishBatch(batch.builder)};
    SentBatch sent{put->streams.back()->FindShard(batch.shard), std::move(batch.entries)};
    put->parts.appends.Append(loop, std::move(request),
                              [put, sent = std::move(sent)](const auto& answer) { TakeAnswer(put, sent, answer); });
  }
}

}  // namespace

std::size_t RecordRoom(const AppendOptions& options) {
  const std::uint64_t batch_room = options.batch_bytes_max - protocol::kBatchHeaderSize - kRecordOverheadMax;
  return std::min(options.record_bytes_max, batch_room);
}

void Put(const PutParts& parts, CallPtr call, StreamPtr stream, std::vector<PutEntry> entries, PutDone done) {
  SLUICE_CHECK(!entries.empty());
  auto put = std::make_shared<PendingPut>(parts);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    PutResult& result = put->results.emplace_back(nullptr, Error(Code::kInternal, "not answered"));
    result.throttled = entries[i].throttled;
    if (result.throttled) result.shard = stream->FindShard(stream->shards.Find(entries[i].hash));
    if (!result.throttled) put->to_send.push_back(i);
  }
  put->streams.push_back(std::move(stream));
  if (put->to_send.empty()) return done(put->results);
  put->call = std::move(call);
  put->entries = std::move(entries);
  put->done = std::move(done);
  Start(std::move(put));
}

}  // namespace sluice::broker::aws
