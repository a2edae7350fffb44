// Group commit: the batches of all loops become durable with one write and one flush.
//
// A small batch that comes when nothing is in flight is committed by the thread that brings it. What comes while a
// commit is in flight queues, and the commit thread takes all of it as the next group. One group is in flight at a
// time. There are no timers but two: `written` records are flushed at the latest after flush_interval_ms, and when
// nothing came for idle_mark_ms after a durable group, an empty group is written that marks it as durable.
//
// A failed write or flush ends writing for good: everything that waits and all that comes later fails with that error.
// Where no journal file is free (full disk, or the checkpoint is behind) groups wait until there is one, and appends
// are held back.
//
// Threads: any; own lock, never held over a write, a flush or a call to an owner.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "storage/append_batch.h"
#include "storage/journal.h"
#include "storage/mutex.h"
#include "storage/tail_budget.h"

namespace sluice::storage {

class Committer {
 public:
  struct Options {
    std::uint64_t inline_commit_bytes = 64u << 10;
    std::uint64_t group_bytes_max = 8u << 20;  // of frames, but for a single batch that is larger
    std::int64_t flush_interval_ms = 50;
    std::int64_t idle_mark_ms = 10;
  };
  using Observer = std::function<void(std::int64_t latency_ns, std::uint64_t bytes)>;

  Committer(Env& env, JournalFiles& files, TailBudget& budget, Options options);
  ~Committer();

  /// Writing begins with this group in a new file of this sequence.
  void Start(std::uint64_t next_sequence, std::uint64_t next_group);
  /// Commits what has queued and ends the thread. Batches that find no room fail.
  void Stop();

  /// Takes a batch that has frames. It may be committed when this returns; else its owner is told later.
  void Submit(std::shared_ptr<AppendBatch> batch);
  /// The frames of a durable batch are visible now.
  void NotePublished(const AppendBatch& batch);
  /// A journal file became free, or none could be made.
  void JournalFilesChanged();
  /// Ends writing, for a failure elsewhere (a segment that could not be synced).
  void Fail(const Status& status);

  /// Everything before it is visible in the shards. `durable_mark` is the last durable group.
  struct Progress {
    JournalPosition published;
    std::uint64_t durable_mark = 0;
    bool all_published = false;
  };
  Progress progress();
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  Status status();
  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  std::uint64_t commit_bytes() const { return commit_bytes_.load(std::memory_order_relaxed); }
  void SetObserver(Observer observer);

 private:
  using Batches = std::vector<std::shared_ptr<AppendBatch>>;
  struct GroupRecord {
    JournalPosition at;
    std::size_t batches_left = 0;
  };

  void Run();
  bool FitsInline(const AppendBatch& batch) SLUICE_REQUIRES(mutex_);
  /// The next group out of the queue.
  Batches TakeGroup() SLUICE_REQUIRES(mutex_);
  /// False where no journal file is free for these batches.
  bool HasRoom(const Batches& batches);
  /// Returns when there is room; an error where there will be none.
  Status WaitForRoom(const Batches& batches);
  /// Writes and, where wanted, flushes; the caller has set in_flight_ and has checked the room. The owner of `own` is
  /// not told.
  void Commit(const Batches& batches, bool flush, const AppendBatch* own);
  /// The disk did not take the group: it waits at the head of the queue.
  void Requeue(const Batches& batches);
  Status WriteGroup(const Batches& batches, JournalPosition& at);
  void Finish(const Batches& batches, const JournalPosition& at, bool flushed) SLUICE_REQUIRES(mutex_);
  void FailAll(const Status& status, const Batches& batches);
  void WaitForWork() SLUICE_REQUIRES(mutex_);
  bool FlushDue() SLUICE_REQUIRES(mutex_);
  bool MarkDue() SLUICE_REQUIRES(mutex_);

  Env& env_;
  JournalFiles& files_;
  TailBudget& budget_;
  const Options options_;
  std::unique_ptr<Journal> journal_;            // the committing thread's: who has set in_flight_
  std::vector<const protocol::Frame*> frames_;  // the same
  std::shared_ptr<const Observer> observer_ SLUICE_GUARDED_BY(mutex_);
  std::atomic<bool> failed_{false};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> commit_bytes_{0};

  Mutex mutex_;
  Condition wake_;
  bool in_flight_ SLUICE_GUARDED_BY(mutex_) = false;
  bool asleep_ SLUICE_GUARDED_BY(mutex_) = false;  // the commit thread waits without a limit
  bool stopping_ SLUICE_GUARDED_BY(mutex_) = false;
  Status status_ SLUICE_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<AppendBatch>> queue_ SLUICE_GUARDED_BY(mutex_);
  Batches unflushed_ SLUICE_GUARDED_BY(mutex_);  // written, waiting for the next flush
  std::int64_t unflushed_since_ns_ SLUICE_GUARDED_BY(mutex_) = 0;
  std::int64_t last_commit_ns_ SLUICE_GUARDED_BY(mutex_) = 0;
  bool mark_wanted_ SLUICE_GUARDED_BY(mutex_) = false;             // the last durable group is not covered by a mark
  std::deque<GroupRecord> unpublished_ SLUICE_GUARDED_BY(mutex_);  // by group number
  JournalPosition journal_end_ SLUICE_GUARDED_BY(mutex_);
  std::uint64_t durable_mark_ SLUICE_GUARDED_BY(mutex_) = 0;
  std::thread thread_;
};

}  // namespace sluice::storage
