// Group commit: the batches of all loops become durable with one write and one flush.
//
// Two roles, each held by one thread at a time. The writer puts groups in the journal; the flusher makes durable what
// was written when it began. So groups are written while others are flushed. A small batch that comes when nobody
// writes is written, and where nobody flushes also flushed, by the thread that brings it. What else comes queues, and
// the commit thread writes all of it as the next group, and flushes it where nobody else does. The flush thread flushes
// what was written during a flush, and `written` records at the latest after flush_interval_ms. When nothing came for
// idle_mark_ms after a durable group, the commit thread writes an empty group that marks it as durable.
//
// A failed write or flush ends writing for good: everything that waits and all that comes later fails with that error.
// Where no journal file is free (full disk, or the checkpoint is behind) groups wait until there is one, and later
// appends are refused or held back.
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
    std::uint64_t inline_commit_bytes = 8u << 10;
    std::uint64_t group_bytes_max = 8u << 20;  // of frames, but for a single batch that is larger
    std::int64_t flush_interval_ms = 50;
    std::int64_t idle_mark_ms = 10;
  };
  using Observer = std::function<void(std::int64_t latency_ns, std::uint64_t bytes)>;
  using EndObserver = std::function<void(const Status& why)>;

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
  /// Told once when writing ends, on the thread that met the error; at once where it has ended already.
  void SetEndObserver(EndObserver observer);

 private:
  using Batches = std::vector<std::shared_ptr<AppendBatch>>;
  enum class Role : std::uint8_t { kNone, kWriter, kFlusher };
  struct GroupRecord {
    JournalPosition at;
    std::size_t batches_left = 0;
  };

  void RunCommits();
  void RunFlushes();
  bool FitsInline(const AppendBatch& batch) SLUICE_REQUIRES(mutex_);
  /// The next group out of the queue.
  Batches TakeGroup() SLUICE_REQUIRES(mutex_);
  /// False where no journal file is free for these batches.
  bool HasRoom(const Batches& batches);
  /// Returns when there is room; an error where there will be none.
  Status WaitForRoom(const Batches& batches);
  /// Makes all that was written durable and goes on in a new file.
  Status BeginFile();
  /// Writes a group as the writer, a role that it ends, and flushes where that is wanted and nobody does. The owner of
  /// `own` is not told.
  void Commit(const Batches& batches, const AppendBatch* own);
  Status WriteGroup(const Batches& batches, JournalPosition& at);
  /// The disk did not take the group: it waits at the head of the queue.
  void Requeue(const Batches& batches);
  void NoteWritten(const Batches& batches, const JournalPosition& at) SLUICE_REQUIRES(mutex_);
  /// Takes the flusher's role for the groups that are written by now; returns the last of them.
  std::uint64_t BeginFlush() SLUICE_REQUIRES(mutex_);
  /// Flushes up to `group` and ends the role.
  Status Flush(std::uint64_t group, const AppendBatch* own);
  /// What has become durable.
  Batches NoteFlushed() SLUICE_REQUIRES(mutex_);
  void Observe(const Batches& durable);
  /// Ends writing, and with it the caller's role.
  void FailAll(const Status& status, const Batches& batches, Role role);
  void WaitForWork() SLUICE_REQUIRES(mutex_);
  void WaitForFlush() SLUICE_REQUIRES(mutex_);
  bool FlushDue() SLUICE_REQUIRES(mutex_);
  bool MarkWanted() const SLUICE_REQUIRES(mutex_) { return durable_mark_ >= last_data_ && last_data_ > covered_mark_; }
  bool MarkDue() SLUICE_REQUIRES(mutex_);

  Env& env_;
  JournalFiles& files_;
  TailBudget& budget_;
  const Options options_;
  std::unique_ptr<Journal> journal_;            // the writer's, but for Sync, which is the flusher's
  std::vector<const protocol::Frame*> frames_;  // the writer's
  std::shared_ptr<const Observer> observer_ SLUICE_GUARDED_BY(mutex_);
  EndObserver end_observer_ SLUICE_GUARDED_BY(mutex_);
  std::atomic<bool> failed_{false};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> commit_bytes_{0};

  Mutex mutex_;
  Condition commit_wake_;
  Condition flush_wake_;
  bool writing_ SLUICE_GUARDED_BY(mutex_) = false;        // somebody is the writer
  bool flushing_ SLUICE_GUARDED_BY(mutex_) = false;       // somebody is the flusher
  bool commit_asleep_ SLUICE_GUARDED_BY(mutex_) = false;  // the commit thread waits without a limit
  bool flush_asleep_ SLUICE_GUARDED_BY(mutex_) = false;   // the flush thread does
  bool file_waits_ SLUICE_GUARDED_BY(mutex_) = false;     // the commit thread waits for the flusher to begin a file
  bool stopping_ SLUICE_GUARDED_BY(mutex_) = false;
  bool commits_ended_ SLUICE_GUARDED_BY(mutex_) = false;  // the commit thread has
  Status status_ SLUICE_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<AppendBatch>> queue_ SLUICE_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<AppendBatch>> unflushed_ SLUICE_GUARDED_BY(mutex_);  // written, by group number
  bool flush_wanted_ SLUICE_GUARDED_BY(mutex_) = false;                           // by somebody who waits
  std::int64_t unflushed_since_ns_ SLUICE_GUARDED_BY(mutex_) = 0;
  std::int64_t last_flush_ns_ SLUICE_GUARDED_BY(mutex_) = 0;
  std::deque<GroupRecord> unpublished_ SLUICE_GUARDED_BY(mutex_);  // by group number
  JournalPosition journal_end_ SLUICE_GUARDED_BY(mutex_);

  // Group numbers. A mark is what a group's header says about the groups before it.
  std::uint64_t written_ SLUICE_GUARDED_BY(mutex_) = 0;       // the last in the journal
  std::uint64_t written_mark_ SLUICE_GUARDED_BY(mutex_) = 0;  // its mark
  std::uint64_t last_data_ SLUICE_GUARDED_BY(mutex_) = 0;     // the last that holds frames
  std::uint64_t durable_mark_ SLUICE_GUARDED_BY(mutex_) = 0;  // the last that is durable
  std::uint64_t covered_mark_ SLUICE_GUARDED_BY(mutex_) = 0;  // its mark
  std::uint64_t flush_group_ SLUICE_GUARDED_BY(mutex_) = 0;   // what the flusher flushes
  std::uint64_t flush_mark_ SLUICE_GUARDED_BY(mutex_) = 0;
  std::thread commit_thread_;
  std::thread flush_thread_;
};

}  // namespace sluice::storage
