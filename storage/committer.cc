// Group commit: inline for a small batch on an idle journal, else on the commit thread.
#include "storage/committer.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "protocol/check.h"
#include "storage/env/thread.h"

namespace sluice::storage {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::chrono::milliseconds kRoomRetry{20};
// Writing alone takes a loop as long as handing on does, up to about 256 KiB; the disk is not waited for.
constexpr std::uint64_t kInlineWritesPerCommit = 32;

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
    written_ = written_mark_ = durable_mark_ = covered_mark_ = next_group - 1;
  }
  commit_thread_ = std::thread([this] { RunCommits(); });
  flush_thread_ = std::thread([this] { RunFlushes(); });
}

void Committer::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    commit_wake_.NotifyAll();
    flush_wake_.NotifyAll();
  }
  if (commit_thread_.joinable()) commit_thread_.join();
  if (flush_thread_.joinable()) flush_thread_.join();
}

bool Committer::FitsInline(const AppendBatch& batch) {
  if (writing_ || !queue_.empty() || stopping_) return false;
  const std::uint64_t bytes_max = options_.inline_commit_bytes * (batch.wants_flush ? 1 : kInlineWritesPerCommit);
  if (batch.frame_bytes > bytes_max) return false;
  return journal_->Fits(Journal::GroupBytes(batch.frame_count, batch.frame_bytes));
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
      if (!writing_) commit_wake_.NotifyOne();
      return;
    }
    writing_ = true;
  }
  const AppendBatch* own = batch.get();
  Commit({std::move(batch)}, own);
}

void Committer::RunCommits() {
  NameThread("commit");
  RunSoonAfterWaking();  // appends of all shards wait for it while segments are written
  MutexLock lock(mutex_);
  while (true) {
    if (writing_ || (queue_.empty() && !MarkDue())) {
      if (stopping_ && queue_.empty() && !writing_) break;
      WaitForWork();
      continue;
    }
    const Batches batches = TakeGroup();  // none: a mark is due
    writing_ = true;
    lock.Unlock();
    const Status room = WaitForRoom(batches);
    if (room.ok()) {
      Commit(batches, nullptr);
    } else {
      FailAll(room, batches, Role::kWriter);
    }
    lock.Lock();
  }
  commits_ended_ = true;
  flush_wake_.NotifyAll();
}

void Committer::RunFlushes() {
  NameThread("flush");
  MutexLock lock(mutex_);
  while (true) {
    if (flushing_ || !FlushDue()) {
      if (commits_ended_ && !flushing_ && unflushed_.empty()) return;
      WaitForFlush();
      continue;
    }
    const std::uint64_t group = BeginFlush();
    lock.Unlock();
    (void)Flush(group, nullptr);  // everybody concerned is told
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
    commit_wake_.WaitFor(mutex_, kRoomRetry);
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

Status Committer::BeginFile() {
  std::optional<std::uint64_t> flush;
  {
    const MutexLock lock(mutex_);
    file_waits_ = true;
    while (flushing_) commit_wake_.Wait(mutex_);
    file_waits_ = false;
    if (!status_.ok()) return status_;
    if (durable_mark_ != written_) flush = BeginFlush();
  }
  if (flush) {
    if (Status status = Flush(*flush, nullptr); !status.ok()) return status;
  }
  // Nobody begins a flush now: nobody else writes, so nothing is left to be flushed.
  journal_->BeginFile();
  return {};
}

Status Committer::WriteGroup(const Batches& batches, JournalPosition& at) {
  frames_.clear();
  std::uint64_t frame_bytes = 0;
  for (const auto& batch : batches) {
    frame_bytes += batch->frame_bytes;
    for (const PendingAppend& append : batch->appends) {
      if (append.frame.size() > 0) frames_.push_back(&append.frame);
    }
  }
  if (!journal_->Fits(Journal::GroupBytes(frames_.size(), frame_bytes))) {
    if (Status status = BeginFile(); !status.ok()) return status;
  }
  Result<JournalPosition> written = journal_->Write(frames_);
  if (!written) return written.error();
  at = *written;
  return {};
}

void Committer::Commit(const Batches& batches, const AppendBatch* own) {
  JournalPosition at;
  const Status status = WriteGroup(batches, at);
  if (status.code() == Code::kResourceExhausted) return Requeue(batches);
  if (!status.ok()) return FailAll(status, batches, Role::kWriter);
  budget_.SetBlocked(TailBudget::kJournalDiskFull, false);  // whoever found it full: the disk has taken this group
  Status ended;
  std::optional<std::uint64_t> flush;
  {
    const MutexLock lock(mutex_);
    ended = status_;  // another thread may have met an error meanwhile
    if (ended.ok()) {
      NoteWritten(batches, at);
      if (flush_wanted_ && !flushing_ && (own == nullptr || own->wants_flush)) flush = BeginFlush();
      if (!flushing_ && (flush_wanted_ || flush_asleep_)) flush_wake_.NotifyOne();
      if (!queue_.empty() || stopping_) commit_wake_.NotifyOne();
    }
  }
  if (!ended.ok()) return FailAll(ended, batches, Role::kWriter);
  // From here on the batches are their owners': only what never changes may be read.
  for (const auto& batch : batches) {
    if (batch.get() == own || !batch->wants_written) continue;
    if (const std::shared_ptr<BatchOwner> owner = batch->owner.lock()) owner->BatchesMoved();
  }
  if (flush) (void)Flush(*flush, own);
}

void Committer::NoteWritten(const Batches& batches, const JournalPosition& at) {
  SLUICE_CHECK(writing_ && at.group == written_ + 1);
  writing_ = false;
  written_ = at.group;
  written_mark_ = journal_->written_mark();
  journal_end_ = journal_->next();
  if (batches.empty()) {
    flush_wanted_ = true;  // a mark is of use only when it is durable
    return;
  }
  last_data_ = at.group;
  unpublished_.push_back({at, batches.size()});
  commits_.fetch_add(1, std::memory_order_relaxed);
  if (unflushed_.empty()) unflushed_since_ns_ = batches.front()->submitted_ns;
  for (const auto& batch : batches) {
    batch->group = at.group;
    commit_bytes_.fetch_add(batch->frame_bytes, std::memory_order_relaxed);
    flush_wanted_ |= batch->wants_flush;
    batch->state.store(AppendBatch::State::kWritten, std::memory_order_release);
    unflushed_.push_back(batch);
  }
}

std::uint64_t Committer::BeginFlush() {
  SLUICE_CHECK(!flushing_ && status_.ok());
  flushing_ = true;
  flush_group_ = written_;
  flush_mark_ = written_mark_;
  return written_;
}

Status Committer::Flush(std::uint64_t group, const AppendBatch* own) {
  if (Status status = journal_->Sync(group); !status.ok()) {
    FailAll(status, {}, Role::kFlusher);
    return status;
  }
  Batches durable;
  {
    const MutexLock lock(mutex_);
    durable = NoteFlushed();
    if (file_waits_ || commit_asleep_ || stopping_) commit_wake_.NotifyOne();
    if (flush_wanted_ || (flush_asleep_ && !unflushed_.empty()) || stopping_) flush_wake_.NotifyOne();
  }
  // From here on the batches are their owners': only what never changes may be read.
  Observe(durable);
  for (const auto& batch : durable) {
    if (batch.get() == own) continue;  // its owner is the caller
    if (const std::shared_ptr<BatchOwner> owner = batch->owner.lock()) owner->BatchesMoved();
  }
  return {};
}

Committer::Batches Committer::NoteFlushed() {
  SLUICE_CHECK(flushing_);
  flushing_ = false;
  durable_mark_ = flush_group_;
  covered_mark_ = flush_mark_;
  last_flush_ns_ = env_.clock().MonotonicNs();
  Batches durable;
  while (!unflushed_.empty() && unflushed_.front()->group <= flush_group_) {
    unflushed_.front()->state.store(AppendBatch::State::kDurable, std::memory_order_release);
    durable.push_back(std::move(unflushed_.front()));
    unflushed_.pop_front();
  }
  flush_wanted_ = std::ranges::any_of(unflushed_, [](const auto& batch) { return batch->wants_flush; });
  if (!unflushed_.empty()) unflushed_since_ns_ = unflushed_.front()->submitted_ns;
  return durable;
}

void Committer::Observe(const Batches& durable) {
  const auto first = std::ranges::find_if(durable, [](const auto& batch) { return batch->wants_flush; });
  if (first == durable.end()) return;
  std::shared_ptr<const Observer> observer;
  std::int64_t flushed_ns = 0;
  {
    const MutexLock lock(mutex_);
    observer = observer_;
    flushed_ns = last_flush_ns_;
  }
  if (observer == nullptr) return;
  std::uint64_t bytes = 0;
  for (const auto& batch : durable) bytes += batch->frame_bytes;
  (*observer)(flushed_ns - (*first)->submitted_ns, bytes);
}

void Committer::Requeue(const Batches& batches) {
  // Nothing was promised and the journal's end has not moved: the same group is written again once the disk takes it.
  budget_.SetBlocked(TailBudget::kJournalDiskFull, true);
  const MutexLock lock(mutex_);
  queue_.insert(queue_.begin(), batches.begin(), batches.end());
  writing_ = false;
  if (std::this_thread::get_id() == commit_thread_.get_id() && !stopping_) {
    commit_wake_.WaitFor(mutex_, kRoomRetry);
  } else {
    commit_wake_.NotifyOne();
  }
}

void Committer::FailAll(const Status& status, const Batches& batches, Role role) {
  SLUICE_CHECK(!status.ok());
  Batches failed = batches;
  EndObserver tell;
  Status ended;
  {
    const MutexLock lock(mutex_);
    if (status_.ok()) {
      status_ = EndOfWriting(status);
      tell = end_observer_;
    }
    ended = status_;
    failed.insert(failed.end(), unflushed_.begin(), unflushed_.end());
    failed.insert(failed.end(), queue_.begin(), queue_.end());
    unflushed_.clear();
    queue_.clear();
    flush_wanted_ = false;
    last_data_ = covered_mark_;  // no mark
    if (role == Role::kWriter) writing_ = false;
    if (role == Role::kFlusher) flushing_ = false;
    failed_.store(true, std::memory_order_release);
    for (const auto& batch : failed) {
      batch->failure = status_;
      batch->state.store(AppendBatch::State::kFailed, std::memory_order_release);
    }
    commit_wake_.NotifyAll();
    flush_wake_.NotifyAll();
  }
  budget_.LetGo();
  if (tell) tell(ended);
  for (const auto& batch : failed) {
    if (const std::shared_ptr<BatchOwner> owner = batch->owner.lock()) owner->BatchesMoved();
  }
}

// A group that is being written or flushed meanwhile fails too, at its end.
void Committer::Fail(const Status& status) { FailAll(status, {}, Role::kNone); }

void Committer::WaitForWork() {
  if (writing_ || !MarkWanted()) {
    commit_asleep_ = true;  // whoever ends a flush wakes this thread
    commit_wake_.Wait(mutex_);
    commit_asleep_ = false;
    return;
  }
  const std::int64_t wait_ns = last_flush_ns_ + options_.idle_mark_ms * kNsPerMs - env_.clock().MonotonicNs();
  commit_wake_.WaitFor(mutex_, std::chrono::nanoseconds(std::max<std::int64_t>(wait_ns, 1000)));
}

void Committer::WaitForFlush() {
  if (flushing_ || unflushed_.empty()) {
    flush_asleep_ = true;  // whoever writes, and whoever ends a flush, wakes this thread
    flush_wake_.Wait(mutex_);
    flush_asleep_ = false;
    return;
  }
  const std::int64_t due_ns = unflushed_since_ns_ + options_.flush_interval_ms * kNsPerMs;
  const std::int64_t wait_ns = due_ns - env_.clock().MonotonicNs();
  flush_wake_.WaitFor(mutex_, std::chrono::nanoseconds(std::max<std::int64_t>(wait_ns, 1000)));
}

bool Committer::FlushDue() {
  if (flush_wanted_) return true;
  if (unflushed_.empty()) return false;
  return stopping_ || env_.clock().MonotonicNs() - unflushed_since_ns_ >= options_.flush_interval_ms * kNsPerMs;
}

bool Committer::MarkDue() {
  if (!MarkWanted() || stopping_) return false;
  return env_.clock().MonotonicNs() - last_flush_ns_ >= options_.idle_mark_ms * kNsPerMs;
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
  commit_wake_.NotifyAll();
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

void Committer::SetEndObserver(EndObserver observer) {
  Status ended;
  {
    const MutexLock lock(mutex_);
    end_observer_ = observer;
    ended = status_;
  }
  if (!ended.ok()) observer(ended);
}

}  // namespace sluice::storage
