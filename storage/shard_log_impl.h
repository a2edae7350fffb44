// ShardLog as the store makes it: the tail in memory, the list of segments, the producer window.
//
// Invariants (CheckInvariants, run after each change in debug builds): segments and tail are sorted and do not overlap;
// what is below written_end is in segments, what is above is in the tail; oldest <= written_end <= durable_end.
//
// Threads: the group "writer" by the owning loop's thread, "write-behind" by that thread (and recovery before it
// starts); the rest from any. One short lock; nothing is done under it but copying of frame handles.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/frame.h"
#include "storage/checkpoint.h"
#include "storage/log_store.h"
#include "storage/mutex.h"
#include "storage/producer_table.h"
#include "storage/segment.h"
#include "storage/shard_log.h"
#include "storage/tail_budget.h"

namespace sluice::storage {

class ShardLogImpl final : public ShardLog, public std::enable_shared_from_this<ShardLogImpl> {
 public:
  ShardLogImpl(ShardId id, TailBudget& budget) : id_(id), budget_(budget) {}

  ShardId id() const override { return id_; }
  Offset oldest() const override { return Offset(oldest_.load(std::memory_order_acquire)); }
  Offset durable_end() const override { return Offset(durable_end_.load(std::memory_order_acquire)); }
  std::int64_t last_append_time_ms() const override { return last_append_time_ms_.load(std::memory_order_acquire); }
  std::uint64_t retained_bytes() const override { return retained_bytes_.load(std::memory_order_relaxed); }
  ShardDamage damage() const override;

  void Seal() override;

  Result<std::optional<FrameRun>> ReadTail(Offset from, std::uint64_t bytes_max) override;
  Result<FrameRun> ReadBlocking(Offset from, std::uint64_t bytes_max) override;
  Result<Offset> OffsetAtTimeBlocking(std::int64_t time_ms) override;

  // Writer.

  /// nullopt: go on with Append. A value: a duplicate of this batch. An error: the batch is refused (quarantine,
  /// producer).
  Result<std::optional<ProducerBatch>> Admit(const protocol::BatchHeader& header);
  /// Gives the batch its offset and time and makes the frame; not visible yet, and the caller's to tell the budget of.
  protocol::Frame Append(protocol::FrameBuffer batch, const protocol::BatchHeader& header, std::int64_t now_ms);
  /// Takes frames that are durable now, the next ones in order, and makes them visible. Returns the unwritten bytes of
  /// the shard.
  std::uint64_t Publish(std::span<protocol::Frame> frames);
  /// Of all that was appended, durable or not.
  Offset next_offset() const { return next_; }
  /// Set and cleared by the writer while it gathers the shards that it tells its listener about.
  bool published_mark = false;

  // Write-behind.

  /// Copies frames that are in no segment yet: up to `bytes_max`, at least one, without a hole between. Empty: none are
  /// left.
  void TakeUnwritten(std::uint64_t bytes_max, std::vector<protocol::Frame>& frames);
  /// The taken frames below `end` are in the newest segment now.
  void NoteWritten(Offset end);
  /// The taken frames could not be written; they stay.
  void GiveBack();
  std::shared_ptr<Segment> newest_segment();
  /// False where the shard was dropped meanwhile: the segment is nobody's, and the caller's to retire.
  bool AddSegment(std::shared_ptr<Segment> segment);
  std::uint64_t segment_bytes();
  /// The shard stands in the queue for writing behind.
  bool queued_for_writing = false;  // guarded by WriteBehind's lock

  /// Drops frames below `end` from memory that are in a segment. Returns their bytes.
  std::uint64_t EvictTail(Offset end);
  /// Frames below `end` are in memory.
  bool HasInMemory(Offset end) const;

  // Checkpoint, recovery, retention.

  ShardRecord Snapshot();
  std::vector<std::shared_ptr<Segment>> Segments();
  void Restore(const ShardRecord& record, std::vector<std::shared_ptr<Segment>> segments);
  /// A frame from the journal at the end of the shard or above it: what lies between is a hole.
  void Replay(protocol::Frame frame, const protocol::BatchHeader& batch);
  /// Refuses appends from now on. A hole at or above the end moves the end behind it: offsets are never used again.
  void Quarantine(std::string reason, std::optional<Hole> hole);
  /// Ends the quarantine and lets reads pass over what is damaged now. Gives the holes that were not accepted before.
  /// Blocks on the disk.
  std::vector<Hole> AcceptLoss();
  /// Takes out whole segments that `policy` does not keep; the caller retires their files.
  std::vector<std::shared_ptr<Segment>> Trim(const RetentionPolicy& policy, std::int64_t now_ms);
  /// Forgets everything; later frames are forgotten as they come. Returns the segments.
  std::vector<std::shared_ptr<Segment>> Drop();

 private:
  using Tail = std::deque<protocol::Frame>;

  Status CheckRange(Offset from) const;
  Status Closed() const;
  /// The first frame in the tail that ends above `from`.
  Tail::const_iterator FindInTail(Offset from) const SLUICE_REQUIRES(mutex_);
  bool InTail(Tail::const_iterator found, Offset from) const SLUICE_REQUIRES(mutex_);
  FrameRun CopyRun(Tail::const_iterator first, Offset from, std::uint64_t bytes_max) const SLUICE_REQUIRES(mutex_);
  std::shared_ptr<Segment> FindSegment(Offset from) const SLUICE_REQUIRES(mutex_);
  Status HoleError(Offset from) const SLUICE_REQUIRES(mutex_);
  /// Where a read from `from` really begins.
  Offset BehindAcceptedLoss(Offset from) const SLUICE_REQUIRES(mutex_);
  void AddHole(const Hole& hole) SLUICE_REQUIRES(mutex_);
  void PushTail(protocol::Frame frame) SLUICE_REQUIRES(mutex_);
  void CheckInvariants() const SLUICE_REQUIRES(mutex_);

  const ShardId id_;
  TailBudget& budget_;

  // The writer's own.
  Offset next_;                        // of the next record to append
  std::int64_t last_assigned_ms_ = 0;  // append times never fall

  // Changed under mutex_, read without.
  std::atomic<std::uint64_t> oldest_{0};
  std::atomic<std::uint64_t> durable_end_{0};
  std::atomic<std::int64_t> last_append_time_ms_{0};
  std::atomic<std::uint64_t> retained_bytes_{0};

  mutable Mutex mutex_;
  Tail tail_ SLUICE_GUARDED_BY(mutex_);
  Offset written_end_ SLUICE_GUARDED_BY(mutex_);
  std::uint64_t unwritten_bytes_ SLUICE_GUARDED_BY(mutex_) = 0;
  bool writing_ SLUICE_GUARDED_BY(mutex_) = false;  // between TakeUnwritten and NoteWritten or GiveBack
  bool dropped_ SLUICE_GUARDED_BY(mutex_) = false;
  std::vector<std::shared_ptr<Segment>> segments_ SLUICE_GUARDED_BY(mutex_);  // by base offset
  std::vector<Hole> holes_ SLUICE_GUARDED_BY(mutex_);                         // by first offset
  bool sealed_ SLUICE_GUARDED_BY(mutex_) = false;
  std::string quarantine_ SLUICE_GUARDED_BY(mutex_);
  ProducerTable producers_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::storage
