// One segment file of a shard: a header page, then frames back to back; storage/FORMAT.md, section "Segment".
//
// Life: made at the shard's first write-behind (fresh, or from a recycled file), grows by Append, is sealed when it
// reaches segment_bytes, and is dropped whole by retention. Only durable frames are ever written to it, so a crash
// leaves a prefix of what the journal still has: the checkpoint says how many bytes count, the journal gives the rest
// again.
//
// The open file and the index are taken when needed and given back by Release (SegmentStore bounds them).
//
// Threads: Create, Append, Seal and Sync by the write-behind thread (or recovery before it starts); the rest from any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "protocol/frame.h"
#include "storage/checkpoint.h"
#include "storage/env/env.h"
#include "storage/mutex.h"
#include "storage/segment_format.h"
#include "storage/shard_log.h"
#include "storage/sparse_index.h"

namespace sluice::storage {

class SegmentStore;

class Segment : public std::enable_shared_from_this<Segment> {
 public:
  /// A segment that a checkpoint or a scan knows; no file is opened.
  Segment(SegmentStore& store, SegmentName name, const SegmentExtent& extent);

  const SegmentName& name() const { return name_; }
  Offset base() const { return name_.base_offset; }
  std::string path() const;
  SegmentExtent extent() const;

  /// Makes the file and its header.
  Status Create(const SegmentHeader& header);
  /// Writes `frames`, the first of which begins at the end, in one piece.
  Status Append(std::span<const protocol::Frame> frames);
  /// Makes durable what was appended; nothing where nothing was.
  Status Sync();
  /// No more appends: stores the index. A failure is of no consequence, the index can be rebuilt.
  void Seal();
  bool dirty() const;

  /// Whole frames from the one that holds `from`. kCorruption names shard, offsets and file.
  Result<FrameRun> Read(Offset from, std::uint64_t bytes_max);
  /// Where to look from for the first frame of this segment that was appended at or after `time_ms`.
  Result<Offset> StartForTime(std::int64_t time_ms);
  /// What reads have found damaged.
  std::vector<Hole> damage() const;
  /// The same, read once more: what can be read again is left out. Forgets it.
  std::vector<Hole> TakeDamage();
  using FrameVisitor = std::function<void(std::string_view frame, const protocol::FrameHeader&)>;
  /// Reads the frames from the start to `bytes_max` of the file or as far as they are good; `each` is told of every
  /// one. What it returns is the extent of a segment that no checkpoint knows.
  Result<SegmentExtent> Scan(std::uint64_t bytes_max, const FrameVisitor& each);

  /// Takes the extent from the file itself: sync, drop the cache, check the header, scan. No frames: the extent is
  /// empty.
  Result<SegmentExtent> Rebuild(const FrameVisitor& each);

  /// Gives back file and index unless the file is dirty. False where it is.
  bool Release();

 private:
  struct Place {
    std::uint64_t position = 0;
    Offset offset;  // that a frame at `position` must begin with
  };

  /// Reads ask for no more than kRead: a file system that has given up writing can still be read.
  Result<std::shared_ptr<File>> OpenFile(OpenMode mode);
  /// An index that knows `from`, loaded or rebuilt.
  Result<std::shared_ptr<const SparseIndex>> IndexFor(Offset from);
  Result<std::shared_ptr<const SparseIndex>> LoadIndex();
  /// Reads [position, position + bytes) as far as the extent goes.
  Result<std::string_view> ReadPiece(File& file, std::uint64_t position, std::uint64_t bytes,
                                     std::shared_ptr<const char[]>& memory);
  /// ReadPiece where a page cannot be read: `bytes` becomes what can be in front of it, one whole frame at least. The
  /// error names the offsets where the page is in the frame at `place`.
  Result<std::string_view> ReadShorterPiece(File& file, const Place& place, std::uint64_t& bytes,
                                            std::shared_ptr<const char[]>& memory);
  /// The frame at `place` where it is whole, good, of this shard and begins with the right offset.
  Result<protocol::FrameHeader> CheckFrame(std::string_view bytes, Offset expected) const;
  /// The first good frame behind damage at `place`; kCorruption with the exact range where `from` is in it, which is
  /// noted then.
  Result<Place> SkipDamage(File& file, Place place, Offset from, const SegmentExtent& extent);

  SegmentStore& store_;
  const SegmentName name_;

  mutable Mutex mutex_;
  SegmentExtent extent_ SLUICE_GUARDED_BY(mutex_);
  std::shared_ptr<File> file_ SLUICE_GUARDED_BY(mutex_);
  bool writable_ SLUICE_GUARDED_BY(mutex_) = false;  // file_ is
  std::shared_ptr<SparseIndex> index_ SLUICE_GUARDED_BY(mutex_);
  std::vector<Hole> damage_ SLUICE_GUARDED_BY(mutex_);
  std::uint64_t synced_bytes_ SLUICE_GUARDED_BY(mutex_);
  std::uint64_t writeback_at_ SLUICE_GUARDED_BY(mutex_) = 0;  // write-back was started up to here
};

}  // namespace sluice::storage
