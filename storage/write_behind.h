// Moves durable frames from memory to the shards' segments, in pieces of at least write_behind_bytes, and takes
// checkpoints.
//
// One thread does both, so a checkpoint's view of the segments cannot change under it: it writes every tail, remembers
// how far each shard is written, syncs the segments, then writes the checkpoint, and only then lets go of the journal
// files below and of dropped segments.
//
// A full disk: what retention has given up goes all the same, the frames stay in memory (and in the journal), the
// thread tries again, and appends are refused meanwhile. Any other failure ends writing.
//
// Threads: any; own lock. Before Start, recovery calls WriteShard itself.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "storage/checkpoint.h"
#include "storage/committer.h"
#include "storage/env/env.h"
#include "storage/mutex.h"
#include "storage/segment_store.h"
#include "storage/tail_budget.h"

namespace sluice::storage {

class ShardLogImpl;

class WriteBehind {
 public:
  struct Parts {
    Env& env;
    SegmentStore& segments;
    TailBudget& budget;
    Committer& committer;
    JournalFiles& journal_files;
    CheckpointFiles& checkpoints;
    std::function<std::vector<std::shared_ptr<ShardLogImpl>>()> shards;  // all of them
    std::uint64_t write_behind_bytes = 256u << 10;
    std::int64_t checkpoint_interval_ms = 10'000;
  };

  explicit WriteBehind(Parts parts) : parts_(std::move(parts)) {}
  ~WriteBehind();

  /// `last_sequence` is that of the newest checkpoint, `replay` from where the journal was replayed.
  void Start(std::uint64_t last_sequence, const JournalPosition& replay);
  /// Ends the thread. With `clean`, a last checkpoint with the clean mark where everything is published.
  Status Stop(bool clean);

  /// The shard has this many bytes in no segment; queues it where they are enough.
  void NoteUnwritten(ShardLogImpl& shard, std::uint64_t bytes);
  /// Takes a checkpoint soon.
  void RequestCheckpoint();
  /// Removes the files of these segments once a checkpoint no longer names them.
  void RetireLater(std::vector<std::shared_ptr<Segment>> segments);

  /// Writes the shard's tail to its segments. Called by recovery; later by the thread itself.
  Status WriteShard(ShardLogImpl& shard);
  std::uint64_t checkpoints() const { return checkpoints_.load(std::memory_order_relaxed); }

 private:
  void Run();
  bool TrimDue();
  bool CheckpointDue() SLUICE_REQUIRES(mutex_);
  /// The journal is half full and a checkpoint would free some of it.
  bool JournalPressed() SLUICE_REQUIRES(mutex_);
  std::vector<std::shared_ptr<ShardLogImpl>> TakeReady() SLUICE_REQUIRES(mutex_);
  Status WriteAll();
  /// Writes the first of `frames` that go into one segment; returns how many.
  Result<std::size_t> WritePiece(ShardLogImpl& shard, std::span<const protocol::Frame> frames);
  Result<std::shared_ptr<Segment>> SegmentFor(ShardLogImpl& shard, const protocol::Frame& frame);
  Status TakeCheckpoint(bool clean);
  /// Makes durable what was written so far. Between two files it writes what has queued meanwhile, so that memory does
  /// not fill up while a checkpoint waits for the disk.
  Status SyncSegments();
  Status WriteReady();
  /// The same without writing, for a full disk.
  Status SyncWritten();
  Status WriteTail(ShardLogImpl& shard);
  /// A full disk is waited out, anything else ends writing. True where the caller should try again later.
  bool HandleFailure(const Status& status);

  const Parts parts_;
  std::atomic<std::uint64_t> checkpoints_{0};

  // The thread's own.
  std::uint64_t sequence_ = 0;
  JournalPosition replay_;                       // of the last checkpoint, or that of the start
  std::vector<std::shared_ptr<Segment>> dirty_;  // written since the last checkpoint
  std::vector<protocol::Frame> frames_;
  std::int64_t last_trim_ns_ = 0;

  Mutex mutex_;
  Condition wake_;
  bool stopping_ SLUICE_GUARDED_BY(mutex_) = false;
  bool checkpoint_wanted_ SLUICE_GUARDED_BY(mutex_) = false;
  bool changed_ SLUICE_GUARDED_BY(mutex_) = false;  // there is something that the last checkpoint does not have
  std::int64_t last_checkpoint_ns_ SLUICE_GUARDED_BY(mutex_) = 0;
  std::uint64_t released_sequence_ SLUICE_GUARDED_BY(mutex_) = 0;  // journal files below it are free
  std::deque<std::weak_ptr<ShardLogImpl>> ready_ SLUICE_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Segment>> retired_ SLUICE_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace sluice::storage
