// Group commit: inline for a small batch on an idle journal, else on the commit thread.
#include "storage/committer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "protocol/check.h"
#include "storage/thread_name.h"

namespace sluice::storage {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::chrono::milliseconds kRoomRetry{20};

Status EndOfWriting(const Status& cause) {
  const Code code = cause.retriable() ? cause.code() : Code::kIoError;
  return Status(code,
                "writing has ended on this data directory: " + cause.message() + "; repair the disk, then restart");
}

}  // namespace

Committer::Committer(Env& env, JournalFiles& files, TailBudget& budget, Options options)
    : env_(env), files_(files), budget_(budget), options_(options) {}

Committer::~Committer() { Stop(); }

void Committer::Start(std::uint64_t next_sequence, std::uint64_t next_group) {
  journal_ = std::make_unique<Journal>(env_, files_, next_sequence, next_group);
  {
    const MutexLock lock(mutex_);
    // Until the first group is written the end is the start of a file that is still to come.
    journal_end_ = {next_sequence, kJournalFirstGroupAt, next_group};
    durable_mark_ = next_group - 1;
  }
  thread_ = std::thread([this] { Run(); });
}

void Committer::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

bool Committer::FitsInline(const AppendBatch& batch) {
  if (in_flight_ || !queue_.empty() || stopping_ || batch.frame_bytes > options_.inline_commit_bytes) return false;
  return journal_->Fits(Journal::GroupBytes(batch.frame_count, batch.frame_bytes)) || files_.has_free();
}

void Committer::Submit(std::shared_ptr<AppendBatch> batch) {
  SLUICE_CHECK(batch->frame_count > 0);
  batch->submitted_ns = env_.clock().MonotonicNs();
  {
    MutexLock lock(mutex_);
    if (!status_.ok() || stopping_) {
      batch->failure = status_.ok() ? Status(Code::kUnavailable, "the log is closing") : status_;
      batch->state.store(AppendBatch::State::kFailed, std::memory_order_release);
      return;
    }
    if (!FitsInline(*batch)) {
      queue_.push_back(std::move(batch));
      if (!in_flight_) wake_.NotifyOne();
      return;
    }
    in_flight_ = true;
  }
  const bool flush = batch->wants_flush;
  const AppendBatch* own = batch.get();
  Commit({std::move(batch)}, flush, own);
}

void Committer::Run() {
  NameThread("commit");
  MutexLock lock(mutex_);
  while (true) {
    if (in_flight_ || (queue_.empty() && !FlushDue() && !MarkDue())) {
      if (stopping_ && queue_.empty() && !in_flight_ && unflushed_.empty()) return;
      WaitForWork();
      continue;
    }
    const Batches batches = TakeGroup();  // none: only a flush or a mark is due
    in_flight_ = true;
    lock.Unlock();
    const Status room = WaitForRoom(batches);
    if (room.ok()) {
      const bool flush = batches.empty() || std::ranges::any_of(batches, [](const auto& b) { return b->wants_flush; });
      Commit(batches, flush, nullptr);
    } else {
      FailAll(room, batches);
    }
    lock.Lock();
  }
}

Status Committer::WaitForRoom(const Batches& batches) {
  while (!HasRoom(batches)) {
    // A full disk is waited out; a disk that fails while a file is made has failed.
    const Status files = files_.status();
    if (!files.ok() && files.code() != Code::kResourceExhausted) return files;
    const MutexLock lock(mutex_);
    if (!status_.ok()) return status_;
    if (stopping_) return Status(Code::kResourceExhausted, "no journal file is free; free space on the disk");
    wake_.WaitFor(mutex_, kRoomRetry);
  }
  return {};
}

Committer::Batches Committer::TakeGroup() {
  Batches batches;
  std::uint64_t bytes = 0;
  while (!queue_.empty()) {
    if (!batches.empty() && bytes + queue_.front()->frame_bytes > options_.group_bytes_max) break;
    bytes += queue_.front()->frame_bytes;
    batches.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return batches;
}

bool Committer::HasRoom(const Batches& batches) {
  std::size_t count = 0;
  std::uint64_t bytes = 0;
  for (const auto& batch : batches) {
    count += batch->frame_count;
    bytes += batch->frame_bytes;
  }
  const bool room = journal_->Fits(Journal::GroupBytes(count, bytes)) || files_.has_free();
  budget_.SetBlocked(TailBudget::kNoJournalRoom, !room);
  budget_.SetBlocked(TailBudget::kJournalDiskFull, !room && files_.status().code() == Code::kResourceExhausted);
  return room;
}

Status Committer::WriteGroup(const Batches& batches, JournalPosition& at) {
  frames_.clear();
  for (const auto& batch : batches) {
    for (const PendingAppend& append : batch->appends) {
      if (append.frame.size() > 0) frames_.push_back(&append.frame);
    }
  }
  Result<JournalPosition> written = journal_->Write(frames_);
  if (!written) return written.error();
  at = *written;
  return {};
}

void Committer::Commit(const Batches& batches, bool flush, const AppendBatch* own) {
  JournalPosition at;
  Status status = WriteGroup(batches, at);
  if (status.code() == Code::kResourceExhausted) {
    Requeue(batches);
    return;
  }
  if (status.ok() && flush) status = journal_->Sync();
  if (!status.ok()) {
    FailAll(status, batches);
    return;
  }
  budget_.SetBlocked(TailBudget::kJournalDiskFull, false);  // whoever found it full: the disk has taken this group
  Batches moved;
  std::shared_ptr<const Observer> observer;
  std::int64_t latency_ns = 0;
  std::uint64_t bytes = 0;
  {
    const MutexLock lock(mutex_);
    last_commit_ns_ = env_.clock().MonotonicNs();
    if (flush && !batches.empty()) observer = observer_;
    if (!batches.empty()) latency_ns = last_commit_ns_ - batches.front()->submitted_ns;
    for (const auto& batch : batches) bytes += batch->frame_bytes;
    if (flush) moved = unflushed_;
    moved.insert(moved.end(), batches.begin(), batches.end());
    Finish(batches, at, flush);
    in_flight_ = false;
    if (!queue_.empty() || stopping_ || asleep_) wake_.NotifyOne();
  }
  // From here on the batches are their owners': only what never changes may be read.
  if (observer != nullptr) (*observer)(latency_ns, bytes);
  for (const auto& batch : moved) {
    if (batch.get() == own) continue;  // its owner is the caller
    if (const std::shared_ptr<BatchOwner> owner = batch->owner.lock()) owner->BatchesMoved();
  }
}

void Committer::Requeue(const Batches& batches) {
  // Nothing was promised and the journal's end has not moved: the same group is written again once the disk takes it.
  budget_.SetBlocked(TailBudget::kJournalDiskFull, true);
  const MutexLock lock(mutex_);
  queue_.insert(queue_.begin(), batches.begin(), batches.end());
  in_flight_ = false;
  if (std::this_thread::get_id() == thread_.get_id() && !stopping_) {
    wake_.WaitFor(mutex_, kRoomRetry);
  } else {
    wake_.NotifyOne();
  }
}

void Committer::Finish(const Batches& batches, const JournalPosition& at, bool flushed) {
  SLUICE_CHECK(in_flight_);
  if (!batches.empty()) {
    unpublished_.push_back({at, batches.size()});
    for (const auto& batch : batches) {
      batch->group = at.group;
      commit_bytes_.fetch_add(batch->frame_bytes, std::memory_order_relaxed);
    }
    commits_.fetch_add(1, std::memory_order_relaxed);
  }
  journal_end_ = journal_->next();
  durable_mark_ = journal_->durable_mark();
  mark_wanted_ = flushed && !(batches.empty() && unflushed_.empty());
  const auto state = flushed ? AppendBatch::State::kDurable : AppendBatch::State::kWritten;
  for (const auto& batch : batches) batch->state.store(state, std::memory_order_release);
  if (flushed) {
    for (const auto& batch : unflushed_) batch->state.store(state, std::memory_order_release);
    unflushed_.clear();
    return;
  }
  if (unflushed_.empty()) unflushed_since_ns_ = last_commit_ns_;
  unflushed_.insert(unflushed_.end(), batches.begin(), batches.end());
}

void Committer::FailAll(const Status& status, const Batches& batches) {
  Batches failed = batches;
  {
    const MutexLock lock(mutex_);
    if (status_.ok()) status_ = EndOfWriting(status);
    failed.insert(failed.end(), unflushed_.begin(), unflushed_.end());
    failed.insert(failed.end(), queue_.begin(), queue_.end());
    unflushed_.clear();
    queue_.clear();
    mark_wanted_ = false;
    in_flight_ = false;
    failed_.store(true, std::memory_order_release);
    for (const auto& batch : failed) {
      batch->failure = status_;
      batch->state.store(AppendBatch::State::kFailed, std::memory_order_release);
    }
    wake_.NotifyAll();
  }
  for (const auto& batch : failed) {
    if (const std::shared_ptr<BatchOwner> owner = batch->owner.lock()) owner->BatchesMoved();
  }
}

void Committer::Fail(const Status& status) {
  SLUICE_CHECK(!status.ok());
  {
    MutexLock lock(mutex_);
    if (!status_.ok()) return;
    status_ = EndOfWriting(status);
    failed_.store(true, std::memory_order_release);
    while (in_flight_ && thread_.joinable()) wake_.WaitFor(mutex_, std::chrono::milliseconds(1));
    in_flight_ = true;  // ours until FailAll: no other thread may begin a group that would end after it
  }
  FailAll(status, {});
}

void Committer::WaitForWork() {
  const bool timed = !in_flight_ && (!unflushed_.empty() || mark_wanted_);
  if (!timed) {
    asleep_ = true;  // whoever ends a commit wakes this thread
    wake_.Wait(mutex_);
    asleep_ = false;
    return;
  }
  const std::int64_t due_ns = !unflushed_.empty() ? unflushed_since_ns_ + options_.flush_interval_ms * kNsPerMs
                                                  : last_commit_ns_ + options_.idle_mark_ms * kNsPerMs;
  const std::int64_t wait_ns = due_ns - env_.clock().MonotonicNs();
  wake_.WaitFor(mutex_, std::chrono::nanoseconds(std::max<std::int64_t>(wait_ns, 1000)));
}

bool Committer::FlushDue() {
  if (unflushed_.empty()) return false;
  return stopping_ || env_.clock().MonotonicNs() - unflushed_since_ns_ >= options_.flush_interval_ms * kNsPerMs;
}

bool Committer::MarkDue() {
  if (!mark_wanted_ || stopping_) return false;
  return env_.clock().MonotonicNs() - last_commit_ns_ >= options_.idle_mark_ms * kNsPerMs;
}

void Committer::NotePublished(const AppendBatch& batch) {
  const MutexLock lock(mutex_);
  const auto record =
      std::ranges::lower_bound(unpublished_, batch.group, {}, [](const GroupRecord& r) { return r.at.group; });
  SLUICE_CHECK(record != unpublished_.end() && record->at.group == batch.group && record->batches_left > 0);
  --record->batches_left;
  while (!unpublished_.empty() && unpublished_.front().batches_left == 0) unpublished_.pop_front();
}

void Committer::JournalFilesChanged() {
  const MutexLock lock(mutex_);
  wake_.NotifyAll();
}

Committer::Progress Committer::progress() {
  const MutexLock lock(mutex_);
  Progress progress{.published = journal_end_, .durable_mark = durable_mark_, .all_published = unpublished_.empty()};
  if (!unpublished_.empty()) progress.published = unpublished_.front().at;
  return progress;
}

Status Committer::status() {
  const MutexLock lock(mutex_);
  return status_;
}

void Committer::SetObserver(Observer observer) {
  const MutexLock lock(mutex_);
  observer_ = observer ? std::make_shared<const Observer>(std::move(observer)) : nullptr;
}

}  // namespace sluice::storage
