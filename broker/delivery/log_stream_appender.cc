// Asks the append and the read service, and waits.
#include "broker/delivery/log_stream_appender.h"

#include <algorithm>
#include <string>
#include <utility>

#include "broker/delivery/waiting_executor.h"
#include "broker/delivery/waiting_read.h"

namespace sluice::delivery {
namespace {

constexpr std::uint64_t kReadBytes = 4u << 20;
constexpr std::uint64_t kShortReadBytes = 64u << 10;  // where only few records are wanted
constexpr std::uint64_t kRecordBytes = 1024;          // taken for the size of one
constexpr std::uint64_t kBatchOverheadBytes = 1024;   // of a batch around its only record, sealing included

/// The door's rule: where the log holds appends back, they wait.
void AppendWhenReady(broker::AppendService& appends, broker::EventLoop& loop, broker::AppendRequest request,
                     broker::AppendService::Done done) {
  if (!appends.overloaded()) return appends.Append(loop, std::move(request), std::move(done));
  appends.WhenReady(loop, [&appends, &loop, request = std::move(request), done = std::move(done)]() mutable {
    AppendWhenReady(appends, loop, std::move(request), std::move(done));
  });
}

class LogStreamAppender final : public StreamAppender {
 public:
  explicit LogStreamAppender(const LogAppenderParts& parts) : parts_(parts) {}

  Result<AppendPlace> Find(std::string_view stream, std::string_view key) override {
    const Result<broker::StreamPtr> found = parts_.catalog.Find(stream);
    if (!found) return Error(found.error());
    const ShardId shard{(*found)->id, (*found)->shards.FindByPartitionKey(key)};
    const Result<broker::ReadAnswer> answer = Ask(shard, broker::FromLatest{});
    if (!answer) return Error(answer.error());
    return AppendPlace{shard, answer->end};
  }

  Result<Offset> Append(ShardId shard, std::string_view batch) override {
    if (parts_.stopping) return Error(Code::kUnavailable, "the broker is stopping");
    broker::AppendRequest request{.stream = shard.stream,
                                  .shard = shard.index,
                                  .ack = storage::AckMode::kDurable,
                                  .batch = protocol::FrameBuffer(batch.size())};
    std::ranges::copy(batch, request.batch.batch().begin());
    Result<storage::Appended> answer = Error(Code::kInternal, "no answer");
    bool done = false;
    broker::EventLoop& loop = parts_.loops.OwnerOf(shard);
    loop.Post([&, request = std::move(request)]() mutable {
      AppendWhenReady(parts_.appends, loop, std::move(request), [&](const Result<storage::Appended>& result) {
        executor_.Post([&, result] {
          answer = result;
          done = true;
        });
      });
    });
    executor_.RunUntil(done);
    if (!answer) return Error(answer.error());
    return answer->base_offset;
  }

  Status Read(ShardId shard, Offset from, Offset to, const Visitor& visitor) override {
    for (Offset next = from; next < to;) {
      const Offset before = next;
      const Result<broker::ReadAnswer> answer = AskFrom(shard, next, BytesFor(to - next));
      if (!answer) return answer.error();
      for (const protocol::Frame& frame : answer->run.frames) {
        if (next >= to) return Status();
        if (Status status = ReadFrame(frame, next, to, visitor); !status.ok()) return status;
        next = std::max(next, frame.end_offset());
      }
      next = std::max(next, answer->first);
      if (next >= answer->end) return Status();
      if (next == before) return Status(Code::kUnavailable, "the log gave no records in front of its end");
    }
    return Status();
  }

  std::uint64_t record_bytes_max() const override {
    const broker::AppendOptions& options = parts_.append_options;
    const std::uint64_t batch = options.batch_bytes_max - std::min(options.batch_bytes_max, kBatchOverheadBytes);
    return std::min(options.record_bytes_max, batch);
  }

 private:
  static std::uint64_t BytesFor(std::uint64_t records) {
    if (records >= kReadBytes / kRecordBytes) return kReadBytes;
    return std::max(kShortReadBytes, records * kRecordBytes);
  }

  /// From `from` on, or from the oldest record on where that was removed.
  Result<broker::ReadAnswer> AskFrom(ShardId shard, Offset from, std::uint64_t bytes_max) {
    Result<broker::ReadAnswer> answer = Ask(shard, from, bytes_max);
    if (answer || answer.error().code() != Code::kOutOfRange) return answer;
    Result<broker::ReadAnswer> oldest = Ask(shard, broker::FromOldest{}, bytes_max);
    return !oldest || oldest->oldest > from ? std::move(oldest) : std::move(answer);
  }

  Result<broker::ReadAnswer> Ask(ShardId shard, broker::ReadFrom from, std::uint64_t bytes_max = kReadBytes) {
    broker::ReadRequest request{.stream = shard.stream, .shard = shard.index, .from = from, .bytes_max = bytes_max};
    return WaitingRead(parts_.reads, std::move(request), parts_.stopping);
  }

  Status ReadFrame(const protocol::Frame& frame, Offset from, Offset to, const Visitor& visitor) {
    Result<protocol::BatchReader> reader = protocol::BatchReader::Open(frame.batch(), scratch_);
    if (!reader) return reader.error();
    for (;;) {
      const Result<const protocol::RecordView*> record = reader->Next();
      if (!record) return record.error();
      if (*record == nullptr) return Status();
      const Offset offset = frame.base_offset() + static_cast<std::uint64_t>((*record)->offset_delta);
      if (offset < from || offset >= to) continue;
      if (Status status = visitor(offset, **record); !status.ok()) return status;
    }
  }

  const LogAppenderParts parts_;
  WaitingExecutor executor_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<StreamAppender> NewLogStreamAppender(const LogAppenderParts& parts) {
  return std::make_unique<LogStreamAppender>(parts);
}

}  // namespace sluice::delivery
