// Frames in vectors.
#include "tests/broker/fake_log_store.h"

#include <algorithm>

namespace sluice::broker {

Offset FakeShardLog::oldest() const {
  const std::lock_guard lock(mutex_);
  return frames_.empty() ? Offset(0) : frames_.front().base_offset();
}

Offset FakeShardLog::durable_end() const {
  const std::lock_guard lock(mutex_);
  return frames_.empty() ? Offset(0) : frames_.back().end_offset();
}

std::int64_t FakeShardLog::last_append_time_ms() const {
  const std::lock_guard lock(mutex_);
  return frames_.empty() ? 0 : frames_.back().header().append_time_ms;
}

std::uint64_t FakeShardLog::retained_bytes() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = 0;
  for (const protocol::Frame& frame : frames_) bytes += frame.size();
  return bytes;
}

Result<std::optional<storage::FrameRun>> FakeShardLog::ReadTail(Offset from, std::uint64_t bytes_max) {
  {
    const std::lock_guard lock(mutex_);
    if (from < tail_from_) return std::nullopt;
  }
  auto run = Run(from, bytes_max);
  if (!run) return Error(run.error());
  return std::optional(std::move(*run));
}

Result<storage::FrameRun> FakeShardLog::ReadBlocking(Offset from, std::uint64_t bytes_max) {
  NoteDiskReader();
  return Run(from, bytes_max);
}

Result<storage::FrameRun> FakeShardLog::Run(Offset from, std::uint64_t bytes_max) const {
  const std::lock_guard lock(mutex_);
  const Offset first = frames_.empty() ? Offset(0) : frames_.front().base_offset();
  const Offset end = frames_.empty() ? Offset(0) : frames_.back().end_offset();
  if (from < first || from > end) {
    return Error(Code::kOutOfRange, "offset " + std::to_string(from.value) + " is not within " +
                                        std::to_string(first.value) + " to " + std::to_string(end.value));
  }
  storage::FrameRun run{.frames = {}, .next = from, .bytes = 0};
  for (const protocol::Frame& frame : frames_) {
    if (frame.end_offset() <= from) continue;
    if (!run.frames.empty() && run.bytes + frame.size() > bytes_max) break;
    run.frames.push_back(frame);
    run.bytes += frame.size();
    run.next = frame.end_offset();
  }
  return run;
}

Result<Offset> FakeShardLog::OffsetAtTimeBlocking(std::int64_t time_ms) {
  NoteDiskReader();
  return time_ms <= last_append_time_ms() ? oldest() : durable_end();
}

void FakeShardLog::NoteDiskReader() {
  const std::lock_guard lock(mutex_);
  disk_reader_ = std::this_thread::get_id();
}

std::thread::id FakeShardLog::disk_reader() const {
  const std::lock_guard lock(mutex_);
  return disk_reader_;
}

void FakeShardLog::Publish(protocol::Frame frame) {
  const std::lock_guard lock(mutex_);
  frames_.push_back(std::move(frame));
}

void FakeShardLog::SetTailFrom(Offset offset) {
  const std::lock_guard lock(mutex_);
  tail_from_ = offset;
}

void FakeShardLog::RemoveBelow(Offset offset) {
  const std::lock_guard lock(mutex_);
  std::erase_if(frames_, [&](const protocol::Frame& frame) { return frame.end_offset() <= offset; });
}

// Commits in a task of its own, as the real one does.
class FakeLogStore::Writer final : public storage::LogWriter {
 public:
  Writer(FakeLogStore& store, storage::Executor& loop) : store_(store), loop_(loop) {}

  void SetPublishedListener(Published listener) override { listener_ = std::move(listener); }

  void Append(storage::ShardLog& shard, protocol::FrameBuffer batch, const protocol::BatchHeader& header,
              storage::AckMode ack, Done done) override {
    auto& log = static_cast<FakeShardLog&>(shard);
    ++store_.appends_seen_;
    if (log.sealed) return done(Error(Code::kShardClosed, "shard " + ToString(shard.id()) + " is closed"));
    if (Status failure = store_.append_failure(); !failure.ok()) return done(Error(std::move(failure)));
    const Offset base = log.next_offset;
    const auto records = static_cast<std::uint32_t>(header.record_count);
    const std::int64_t append_time_ms = store_.append_time_ms_;
    log.next_offset = base + records;
    protocol::SetBaseOffset(batch.batch(), base);
    auto frame = protocol::Frame::Seal(std::move(batch), {.shard = shard.id(),
                                                          .base_offset = base,
                                                          .record_count = records,
                                                          .append_time_ms = append_time_ms,
                                                          .durable_upto = base});
    if (ack == storage::AckMode::kNone) done(storage::Appended{base, append_time_ms, false});
    if (ack == storage::AckMode::kNone) done = nullptr;
    group_.push_back({&log, std::move(frame), std::move(done)});
    if (!store_.hold_) loop_.Post([this] { Commit(); });
  }

  void Drain(storage::ShardLog& shard, Drained done) override {
    drains_.emplace_back(static_cast<FakeShardLog&>(shard).shared_from_this(), std::move(done));
    if (!store_.hold_) loop_.Post([this] { Commit(); });
  }

  void Commit() {
    std::vector<Pending> group;
    group.swap(group_);
    std::vector<std::pair<std::shared_ptr<FakeShardLog>, Drained>> drains;
    drains.swap(drains_);
    std::vector<FakeShardLog*> moved;
    for (Pending& pending : group) {
      const storage::Appended appended{pending.frame.base_offset(), pending.frame.header().append_time_ms, false};
      pending.log->Publish(std::move(pending.frame));
      moved.push_back(pending.log);
      if (pending.done) pending.done(appended);
    }
    for (auto& [log, done] : drains) done(log->durable_end());
    for (FakeShardLog* log : moved) listener_(*log);
  }

 private:
  struct Pending {
    FakeShardLog* log;
    protocol::Frame frame;
    Done done;
  };
  FakeLogStore& store_;
  storage::Executor& loop_;
  Published listener_;
  std::vector<Pending> group_;
  std::vector<std::pair<std::shared_ptr<FakeShardLog>, Drained>> drains_;
};

void FakeLogStore::FailAppends(Status why) {
  const std::lock_guard lock(mutex_);
  append_failure_ = std::move(why);
}

Status FakeLogStore::append_failure() const {
  const std::lock_guard lock(mutex_);
  return append_failure_;
}

std::unique_ptr<storage::LogWriter> FakeLogStore::NewWriter(storage::Executor& loop) {
  auto writer = std::make_unique<Writer>(*this, loop);
  const std::lock_guard lock(mutex_);
  writers_.emplace_back(&loop, writer.get());
  return writer;
}

FakeShardLog& FakeLogStore::shard(ShardId id) {
  OpenShard(id);
  const std::lock_guard lock(mutex_);
  return *shards_.at(id);
}

std::shared_ptr<storage::ShardLog> FakeLogStore::OpenShard(ShardId id) {
  const std::lock_guard lock(mutex_);
  auto& log = shards_[id];
  if (!log) log = std::make_shared<FakeShardLog>(id);
  return log;
}

void FakeLogStore::DropShard(ShardId id) {
  const std::lock_guard lock(mutex_);
  shards_.erase(id);
  dropped_.push_back(id);
}

std::vector<ShardId> FakeLogStore::Shards() {
  const std::lock_guard lock(mutex_);
  std::vector<ShardId> ids;
  for (const auto& [id, log] : shards_) ids.push_back(id);
  return ids;
}

std::uint64_t FakeLogStore::ApplyRetention(ShardId id, const storage::RetentionPolicy& policy) {
  const std::lock_guard lock(mutex_);
  retention_calls_.emplace_back(id, policy);
  return 1;
}

void FakeLogStore::WhenReady(storage::Executor& loop, std::move_only_function<void()> resume) {
  const std::lock_guard lock(mutex_);
  if (!overloaded_) return loop.Post(std::move(resume));
  resumes_.emplace_back(&loop, std::move(resume));
}

void FakeLogStore::ReleaseCommits() {
  hold_ = false;
  const std::lock_guard lock(mutex_);
  for (const auto& [loop, writer] : writers_) loop->Post([committer = writer] { committer->Commit(); });
}

void FakeLogStore::SetOverloaded(bool overloaded) {
  const std::lock_guard lock(mutex_);
  overloaded_ = overloaded;
  if (overloaded) return;
  for (auto& [loop, resume] : resumes_) loop->Post(std::move(resume));
  resumes_.clear();
}

std::vector<ShardId> FakeLogStore::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

std::vector<std::pair<ShardId, storage::RetentionPolicy>> FakeLogStore::retention_calls() const {
  const std::lock_guard lock(mutex_);
  return retention_calls_;
}

}  // namespace sluice::broker
