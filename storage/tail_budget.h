// The memory that frames may take, over all shards: the cache of the newest frames, and the back-pressure.
//
// Frames that are in a segment already are evicted, oldest first, when the tail is larger than its bound. Frames that
// are not cannot be: when they alone reach the bound, or the journal has no room, appends are held back until that has
// passed. A full disk may last, so there they are refused instead, and whoever was held back is let go to learn it.
//
// Threads: any. The counters are atomic, the lists have their own lock; executors are called outside of it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "protocol/ids.h"
#include "storage/executor.h"
#include "storage/mutex.h"

namespace sluice::storage {

class ShardLogImpl;

class TailBudget {
 public:
  /// What else than memory may hold appends back.
  enum Block : unsigned {
    kNoJournalRoom = 1,    // the checkpoint is behind: a short wait
    kJournalDiskFull = 2,  // new appends are refused until there is space again
    kSegmentDiskFull = 4,
  };

  explicit TailBudget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  /// Frames were appended: they take memory and are in no segment.
  void NoteAppended(std::uint64_t bytes);
  /// Frames of `shard` below `end` are in a segment now (or need not be any more).
  void NoteWritten(const std::shared_ptr<ShardLogImpl>& shard, Offset end, std::uint64_t bytes);
  /// Frames left memory otherwise: their shard was dropped, or retention removed them.
  void NoteForgotten(std::uint64_t tail_bytes, std::uint64_t unwritten_bytes);
  void SetBlocked(Block block, bool blocked);
  /// Writing has ended: nobody is held back any more, so that all learn of the error.
  void LetGo();
  /// Evicts down to the bound. Called after each writing, and now and then by the background thread: frames that are
  /// too few to be written may have pushed the tail over its bound.
  void Evict();

  bool overloaded() const { return overloaded_.load(); }
  bool disk_full() const {
    return (blocked_.load(std::memory_order_relaxed) & (kJournalDiskFull | kSegmentDiskFull)) != 0;
  }
  /// True where appends are refused: the disk is full, or the caller pays no heed to overloaded().
  bool exhausted() const { return disk_full() || unwritten_bytes() > 2 * bytes_max_; }
  /// True where no more frames should be taken into memory.
  bool full() const { return unwritten_bytes() >= bytes_max_; }
  /// True where frames should be written behind however few they are.
  bool pressed() const { return unwritten_bytes() > bytes_max_ / 2; }
  void WhenReady(Executor& loop, std::move_only_function<void()> resume);

  std::uint64_t tail_bytes() const { return tail_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t unwritten_bytes() const { return unwritten_bytes_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kPiecesMin = 1024;
  struct Piece {
    std::weak_ptr<ShardLogImpl> shard;
    Offset end;
  };

  void UpdateOverload();
  /// Forgets the pieces of which nothing is in memory. Where shards are dropped, and where retention is faster than the
  /// bound is reached, nobody evicts them.
  void ForgetPieces();

  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> tail_bytes_{0};
  std::atomic<std::uint64_t> unwritten_bytes_{0};
  std::atomic<unsigned> blocked_{0};
  std::atomic<bool> overloaded_{false};
  std::atomic<bool> let_go_{false};

  Mutex mutex_;
  std::deque<Piece> written_ SLUICE_GUARDED_BY(mutex_);           // in the order of writing, so the oldest in front
  std::size_t forget_at_ SLUICE_GUARDED_BY(mutex_) = kPiecesMin;  // so many of them are looked through
  std::vector<std::pair<Executor*, std::move_only_function<void()>>> waiting_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::storage
