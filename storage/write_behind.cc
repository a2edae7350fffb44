// The background thread: segments and checkpoints.
#include "storage/write_behind.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include "protocol/check.h"
#include "storage/env/thread.h"
#include "storage/segment.h"
#include "storage/shard_log_impl.h"

namespace sluice::storage {
namespace {

constexpr std::uint64_t kPieceBytesMax = 4u << 20;
constexpr std::size_t kDirtySegmentsMax = 1024;  // so many files are kept open until the next checkpoint
constexpr std::chrono::milliseconds kTick{100};
constexpr std::chrono::milliseconds kTrimInterval{20};  // between two pieces of surplus segments
constexpr std::size_t kSurplusMany = 128;               // from so many files on there are no pauses

}  // namespace

WriteBehind::~WriteBehind() { (void)Stop(false); }

void WriteBehind::Start(std::uint64_t last_sequence, const JournalPosition& replay) {
  sequence_ = last_sequence;
  replay_ = replay;
  {
    const MutexLock lock(mutex_);
    last_checkpoint_ns_ = parts_.env.clock().MonotonicNs();
  }
  thread_ = std::thread([this] { Run(); });
}

Status WriteBehind::Stop(bool clean) {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  if (!thread_.joinable()) return {};
  thread_.join();
  if (!clean) return {};
  if (parts_.committer.failed()) return parts_.committer.status();
  return TakeCheckpoint(parts_.committer.progress().all_published);
}

void WriteBehind::NoteUnwritten(ShardLogImpl& shard, std::uint64_t bytes) {
  const bool enough = bytes >= parts_.write_behind_bytes;
  const bool pressed = parts_.budget.pressed();
  const MutexLock lock(mutex_);
  changed_ = true;
  if (pressed) wake_.NotifyOne();
  if (!enough || std::exchange(shard.queued_for_writing, true)) return;
  ready_.push_back(shard.weak_from_this());
  if (ready_.size() == 1) wake_.NotifyOne();
}

void WriteBehind::RequestCheckpoint() {
  const MutexLock lock(mutex_);
  checkpoint_wanted_ = true;
  wake_.NotifyOne();
}

void WriteBehind::RetireLater(std::vector<std::shared_ptr<Segment>> segments) {
  if (segments.empty()) return;
  const MutexLock lock(mutex_);
  changed_ = true;
  retired_.insert(retired_.end(), segments.begin(), segments.end());
}

void WriteBehind::Run() {
  NameThread("write-behind");
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (TrimDue()) {
      lock.Unlock();
      (void)parts_.segments.TrimSurplus();
      lock.Lock();
    }
    const bool checkpoint = CheckpointDue();
    const bool pressed = parts_.budget.pressed();
    std::vector<std::shared_ptr<ShardLogImpl>> ready = TakeReady();
    if (ready.empty() && !checkpoint && !pressed) {
      wake_.WaitFor(mutex_, parts_.segments.surplus() > 0 ? kTrimInterval : kTick);
      lock.Unlock();
      parts_.budget.Evict();
      lock.Lock();
      continue;
    }
    lock.Unlock();
    Status status;
    for (const auto& shard : ready) {
      if (status = WriteShard(*shard); !status.ok()) break;
    }
    if (status.ok() && pressed) status = WriteAll();
    // Also on a full disk, where it may be what makes room.
    const bool possible = status.ok() || status.code() == Code::kResourceExhausted;
    if (possible && checkpoint) status = TakeCheckpoint(false);
    const bool again = !status.ok() && HandleFailure(status);
    if (status.ok()) parts_.budget.SetBlocked(TailBudget::kSegmentDiskFull, false);
    lock.Lock();
    if (!status.ok() && !again) return;
    if (again) {
      checkpoint_wanted_ = true;  // writes all tails, so nothing that was queued is forgotten
      wake_.WaitFor(mutex_, kTick);
    }
  }
}

bool WriteBehind::TrimDue() {
  const std::int64_t now_ns = parts_.env.clock().MonotonicNs();
  // Where more comes in than the pauses let out, the disk's space counts for more than its latency.
  const bool many = parts_.segments.surplus() >= kSurplusMany;
  if (!many && now_ns - last_trim_ns_ < std::chrono::nanoseconds(kTrimInterval).count()) return false;
  last_trim_ns_ = now_ns;
  return true;
}

bool WriteBehind::CheckpointDue() {
  if (checkpoint_wanted_ || JournalPressed()) return true;
  return changed_ &&
         parts_.env.clock().MonotonicNs() - last_checkpoint_ns_ >= parts_.checkpoint_interval_ms * 1'000'000;
}

bool WriteBehind::JournalPressed() {
  // Not tied to changed_: the last group before the journal filled up may be published a moment after a checkpoint has
  // looked, and then nothing else would ever change. The file sequence tells whether there is something to free.
  return parts_.journal_files.live_bytes() > parts_.journal_files.pressure_bytes() &&
         parts_.committer.progress().published.file_sequence > released_sequence_;
}

std::vector<std::shared_ptr<ShardLogImpl>> WriteBehind::TakeReady() {
  std::vector<std::shared_ptr<ShardLogImpl>> ready;
  for (const auto& each : ready_) {
    std::shared_ptr<ShardLogImpl> shard = each.lock();
    if (shard == nullptr) continue;
    shard->queued_for_writing = false;
    ready.push_back(std::move(shard));
  }
  ready_.clear();
  return ready;
}

bool WriteBehind::HandleFailure(const Status& status) {
  if (status.code() != Code::kResourceExhausted) {
    parts_.committer.Fail(status);
    return false;
  }
  parts_.segments.DropFreeFiles();
  parts_.budget.SetBlocked(TailBudget::kSegmentDiskFull, true);
  return true;
}

Status WriteBehind::WriteAll() {
  for (const auto& shard : parts_.shards()) {
    if (Status status = WriteShard(*shard); !status.ok()) return status;
  }
  return {};
}

Status WriteBehind::WriteShard(ShardLogImpl& shard) {
  if (Status status = WriteTail(shard); !status.ok()) return status;
  return dirty_.size() > kDirtySegmentsMax ? SyncSegments() : Status();
}

Status WriteBehind::WriteTail(ShardLogImpl& shard) {
  while (true) {
    shard.TakeUnwritten(kPieceBytesMax, frames_);
    if (frames_.empty()) return {};
    std::span<const protocol::Frame> rest = frames_;
    while (!rest.empty()) {
      const Result<std::size_t> written = WritePiece(shard, rest);
      if (!written) {
        shard.GiveBack();
        return written.error();
      }
      shard.NoteWritten(rest[*written - 1].end_offset());
      rest = rest.subspan(*written);
    }
    frames_.clear();
  }
}

Result<std::size_t> WriteBehind::WritePiece(ShardLogImpl& shard, std::span<const protocol::Frame> frames) {
  Result<std::shared_ptr<Segment>> segment = SegmentFor(shard, frames.front());
  if (!segment) return Error(std::move(segment.error()));
  std::uint64_t bytes = (*segment)->extent().bytes;
  std::size_t count = 0;
  while (count < frames.size() && (count == 0 || bytes + frames[count].size() <= parts_.segments.segment_bytes())) {
    bytes += frames[count++].size();
  }
  if (!(*segment)->dirty()) dirty_.push_back(*segment);
  if (Status status = (*segment)->Append(frames.first(count)); !status.ok()) return Error(std::move(status));
  return count;
}

Result<std::shared_ptr<Segment>> WriteBehind::SegmentFor(ShardLogImpl& shard, const protocol::Frame& frame) {
  const std::shared_ptr<Segment> newest = shard.newest_segment();
  SegmentHeader header{.shard = shard.id(), .base_offset = frame.base_offset(), .previous_end = frame.base_offset()};
  if (newest != nullptr) {
    const SegmentExtent extent = newest->extent();
    const bool fits = extent.bytes + frame.size() <= parts_.segments.segment_bytes() || extent.end == extent.base;
    if (extent.end == frame.base_offset() && fits) return newest;
    SLUICE_CHECK(extent.end <= frame.base_offset());
    header.previous_end = extent.end;
    header.previous_checksum = extent.last_checksum;
    newest->Seal();
  }
  header.created_ms = parts_.env.clock().WallMs();
  const SegmentExtent empty{.base = frame.base_offset(), .end = frame.base_offset()};
  auto segment = std::make_shared<Segment>(parts_.segments, SegmentName{shard.id(), frame.base_offset()}, empty);
  if (Status status = segment->Create(header); !status.ok()) return Error(std::move(status));
  if (!shard.AddSegment(segment)) RetireLater({segment});
  dirty_.push_back(segment);
  return segment;
}

Status WriteBehind::SyncSegments() {
  const std::vector<std::shared_ptr<Segment>> segments = std::exchange(dirty_, {});
  for (const auto& segment : segments) {
    if (Status status = segment->Sync(); !status.ok()) return status;
    if (Status status = WriteReady(); !status.ok()) {
      // Nothing that was to be synced may be forgotten: the next try syncs all of it.
      for (const auto& each : segments) {
        if (each->dirty() && std::ranges::find(dirty_, each) == dirty_.end()) dirty_.push_back(each);
      }
      return status;
    }
  }
  return {};
}

Status WriteBehind::SyncWritten() {
  for (const auto& segment : std::exchange(dirty_, {})) {
    if (Status status = segment->Sync(); !status.ok()) return status;
  }
  return {};
}

Status WriteBehind::WriteReady() {
  std::vector<std::shared_ptr<ShardLogImpl>> ready;
  {
    const MutexLock lock(mutex_);
    ready = TakeReady();
  }
  for (const auto& shard : ready) {
    if (Status status = WriteTail(*shard); !status.ok()) return status;
  }
  return {};
}

Status WriteBehind::TakeCheckpoint(bool clean) {
  std::vector<std::shared_ptr<Segment>> retired;
  {
    const MutexLock lock(mutex_);
    checkpoint_wanted_ = false;
    changed_ = false;
    retired.swap(retired_);
  }
  // First the journal's place, then the tails: whatever is published in between is in the segments and in the journal.
  const Committer::Progress progress = parts_.committer.progress();
  Checkpoint checkpoint;
  checkpoint.sequence = sequence_ + 1;
  checkpoint.clean = clean;
  checkpoint.replay = progress.published;
  checkpoint.durable_mark = progress.durable_mark;
  const Status written = WriteAll();
  Status status = written;
  if (written.code() == Code::kResourceExhausted && !retired.empty()) {
    // The disk is full, and what retention gave up makes room: that goes, and the journal is kept from where it was.
    checkpoint.clean = false;
    checkpoint.replay = replay_;
    status = SyncWritten();
  }
  if (status.ok()) {
    for (const auto& shard : parts_.shards()) checkpoint.shards.push_back(shard->Snapshot());
  }
  if (status.ok() && written.ok()) status = SyncSegments();
  if (status.ok()) status = parts_.segments.SyncNames();
  if (status.ok()) status = parts_.checkpoints.Save(checkpoint);
  if (!status.ok()) {
    RetireLater(std::move(retired));
    return status;
  }
  sequence_ = checkpoint.sequence;
  replay_ = checkpoint.replay;
  parts_.journal_files.Release(checkpoint.replay.file_sequence);
  for (const auto& segment : retired) parts_.segments.Retire(segment->name());
  {
    const MutexLock lock(mutex_);
    last_checkpoint_ns_ = parts_.env.clock().MonotonicNs();
    released_sequence_ = checkpoint.replay.file_sequence;
  }
  checkpoints_.fetch_add(1, std::memory_order_relaxed);  // last: whoever sees it may set the clock on
  status = parts_.segments.SyncNames();
  return status.ok() ? written : status;
}

}  // namespace sluice::storage
