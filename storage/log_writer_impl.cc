// From Append to acknowledgement on one loop.
#include "storage/log_writer_impl.h"

#include <fmt/format.h>

#include <utility>

#include "protocol/check.h"

namespace sluice::storage {
namespace {

constexpr std::size_t kSpareBatchesMax = 16;  // about what 1,000 appends in flight use
constexpr std::size_t kBatchFramesMax = 128;  // from so many on the disk begins while the loop still takes appends

using State = AppendBatch::State;

}  // namespace

void WriterCore::Append(ShardLog& shard, protocol::FrameBuffer batch, const protocol::BatchHeader& header, AckMode ack,
                        LogWriter::Done done) {
  auto log = static_cast<ShardLogImpl&>(shard).shared_from_this();
  const std::uint64_t frame_bytes = protocol::kFrameHeaderSize + batch.batch_view().size();
  if (Status status = CheckRoom(frame_bytes); !status.ok()) return done(Error(std::move(status)));
  Result<std::optional<ProducerBatch>> original = log->Admit(header);
  if (!original) return done(Error(std::move(original.error())));
  if (*original) return AddDuplicate(std::move(log), **original, ack, std::move(done));

  AppendBatch& turn = TurnBatch(frame_bytes);
  PendingAppend& pending = turn.appends.emplace_back();
  pending.frame = log->Append(std::move(batch), header, turn.append_time_ms);
  pending.shard = std::move(log);
  pending.answer = {.base_offset = pending.frame.base_offset(),
                    .append_time_ms = pending.frame.header().append_time_ms};
  pending.ack = ack;
  ++turn.frame_count;
  turn.frame_bytes += frame_bytes;
  turn.wants_flush |= ack == AckMode::kDurable;
  turn.wants_written |= ack == AckMode::kWritten;
  if (ack != AckMode::kNone) {
    pending.done = std::move(done);
    return;
  }
  const Appended answer = pending.answer;  // `done` may append again
  done(answer);
}

// An append without a frame: answered after those before it.
void WriterCore::Drain(ShardLog& shard, LogWriter::Drained done) {
  auto log = static_cast<ShardLogImpl&>(shard).shared_from_this();
  AppendBatch& turn = TurnBatch(0);
  turn.wants_flush = true;
  LogWriter::Done drained = [this, log, done = std::move(done)](const Result<Appended>&) mutable {
    if (log->durable_end() == log->next_offset()) return done(log->durable_end());
    // A later append may be on its way already, where somebody appends while he drains.
    Status status = parts_.committer.failed()
                        ? parts_.committer.status()
                        : Status(Code::kInternal, "the shard was appended to while it was drained");
    done(Error(std::move(status)));
  };
  turn.appends.push_back(
      {.shard = std::move(log), .frame = {}, .answer = {}, .ack = AckMode::kDurable, .done = std::move(drained)});
}

Status WriterCore::CheckRoom(std::uint64_t frame_bytes) {
  if (parts_.committer.failed()) return parts_.committer.status();
  if (frame_bytes > parts_.frame_bytes_max) {
    return Status(Code::kInvalidArgument, fmt::format("a batch of {} bytes does not fit in a journal file, {} do",
                                                      frame_bytes, parts_.frame_bytes_max));
  }
  if (parts_.budget.exhausted()) {
    return Status(Code::kResourceExhausted, "the disk is full or does not keep up; try again after a pause");
  }
  return {};
}

void WriterCore::AddDuplicate(std::shared_ptr<ShardLogImpl> shard, const ProducerBatch& original, AckMode ack,
                              LogWriter::Done done) {
  const Appended answer{
      .base_offset = original.base_offset, .append_time_ms = original.append_time_ms, .duplicate = true};
  const bool durable = original.base_offset + original.record_count <= shard->durable_end();
  if (durable || ack == AckMode::kNone) return done(answer);
  // The original is on its way, in a batch before this one or in this one: acknowledged in order, so not before it.
  AppendBatch& turn = TurnBatch(0);
  turn.wants_flush |= ack == AckMode::kDurable;
  turn.wants_written |= ack == AckMode::kWritten;
  turn.appends.push_back(
      {.shard = std::move(shard), .frame = {}, .answer = answer, .ack = ack, .done = std::move(done)});
}

AppendBatch& WriterCore::TurnBatch(std::uint64_t frame_bytes) {
  const bool full =
      turn_ != nullptr && turn_->frame_count > 0 &&
      (turn_->frame_count >= kBatchFramesMax || turn_->frame_bytes + frame_bytes > parts_.batch_bytes_max);
  if (full) SubmitTurn();
  if (turn_ == nullptr) {
    turn_ = NewBatch();
    turn_->append_time_ms = parts_.env.clock().WallMs();
  }
  if (!turn_posted_) {
    turn_posted_ = true;
    loop_.Post([self = shared_from_this()] { self->EndTurn(); });
  }
  return *turn_;
}

std::shared_ptr<AppendBatch> WriterCore::NewBatch() {
  // One that the committer still holds only reads what never changes, but it may be told of it once more: not reused.
  if (!spare_.empty() && spare_.front().use_count() == 1) {
    std::shared_ptr<AppendBatch> batch = std::move(spare_.front());
    spare_.pop_front();
    SLUICE_CHECK(batch->appends.empty());
    batch->frame_count = 0;
    batch->frame_bytes = 0;
    batch->wants_flush = false;
    batch->wants_written = false;
    batch->written_acked = false;
    batch->failure = {};
    batch->state.store(State::kQueued);
    return batch;
  }
  auto batch = std::make_shared<AppendBatch>();
  batch->owner = weak_from_this();
  return batch;
}

void WriterCore::EndTurn() {
  SLUICE_CHECK(!parts_.store_gone->load(std::memory_order_relaxed));
  turn_posted_ = false;
  if (turn_ != nullptr) SubmitTurn();
  CompleteReady();
}

void WriterCore::SubmitTurn() {
  std::shared_ptr<AppendBatch> batch = std::move(turn_);
  turn_ = nullptr;
  SLUICE_CHECK(batch->state.load() == State::kQueued && !batch->appends.empty());
  parts_.budget.NoteAppended(batch->frame_bytes);
  outstanding_.push_back(batch);
  if (batch->frame_count > 0) {
    parts_.committer.Submit(std::move(batch));
  } else {
    batch->state.store(State::kDurable);  // duplicates only: acknowledged after the batches before them
  }
}

void WriterCore::BatchesMoved() {
  if (completion_posted_.exchange(true)) return;
  loop_.Post([self = shared_from_this()] {
    (void)self->completion_posted_.exchange(false);  // a later BatchesMoved posts again, an earlier one is seen
    self->CompleteReady();
  });
}

void WriterCore::CompleteReady() {
  SLUICE_CHECK(!parts_.store_gone->load(std::memory_order_relaxed));
  if (completing_) return;  // a callback has come back here; the loop below goes on
  completing_ = true;
  while (!outstanding_.empty()) {
    const State state = outstanding_.front()->state.load(std::memory_order_acquire);
    if (state != State::kDurable && state != State::kFailed) break;
    const std::shared_ptr<AppendBatch> batch = std::move(outstanding_.front());
    outstanding_.pop_front();
    Complete(*batch);
    TellListener();
    if (spare_.size() < kSpareBatchesMax) spare_.push_back(batch);
  }
  for (std::size_t i = 0; i < outstanding_.size(); ++i) {
    const std::shared_ptr<AppendBatch> batch = outstanding_[i];
    if (batch->state.load(std::memory_order_acquire) != State::kWritten) break;
    AckWritten(*batch);
  }
  completing_ = false;
}

void WriterCore::AckWritten(AppendBatch& batch) {
  if (std::exchange(batch.written_acked, true)) return;
  for (PendingAppend& append : batch.appends) {
    if (append.ack != AckMode::kWritten || !append.done) continue;
    LogWriter::Done done = std::exchange(append.done, {});
    done(append.answer);
  }
}

void WriterCore::Complete(AppendBatch& batch) {
  const bool durable = batch.state.load(std::memory_order_acquire) == State::kDurable;
  if (durable && batch.frame_count > 0) Publish(batch);
  for (PendingAppend& append : batch.appends) {
    if (!append.done) continue;
    if (durable) {
      append.done(append.answer);
    } else {
      append.done(Error(batch.failure));
    }
  }
  batch.appends.clear();
}

void WriterCore::Publish(AppendBatch& batch) {
  for (std::size_t i = 0; i < batch.appends.size();) {
    ShardLogImpl& shard = *batch.appends[i].shard;
    run_.clear();
    std::size_t next = i;
    for (; next < batch.appends.size() && batch.appends[next].shard.get() == &shard; ++next) {
      if (batch.appends[next].frame.size() > 0) run_.push_back(std::move(batch.appends[next].frame));
    }
    if (!run_.empty()) {
      parts_.write_behind.NoteUnwritten(shard, shard.Publish(run_));
      if (!std::exchange(shard.published_mark, true)) published_.push_back(batch.appends[i].shard);
    }
    i = next;
  }
  run_.clear();
  parts_.committer.NotePublished(batch);
}

void WriterCore::TellListener() {
  for (std::size_t i = 0; i < published_.size(); ++i) {
    const std::shared_ptr<ShardLogImpl> shard = published_[i];
    shard->published_mark = false;
    if (listener_) listener_(*shard);
  }
  published_.clear();
}

}  // namespace sluice::storage
