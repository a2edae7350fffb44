// The tail, its frames' way into segments, and reads from both.
#include "storage/shard_log_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/check.h"

namespace sluice::storage {
namespace {

constexpr std::uint64_t kTimeSearchBytes = 1u << 20;
constexpr std::string_view kHowToAccept = "accept the loss ('sluice stream accept-loss')";

std::uint64_t FrameBytes(const SegmentExtent& extent) { return extent.bytes - kSegmentFirstFrameAt; }

}  // namespace

Status ShardLogImpl::CheckRange(Offset from) const {
  const Offset first = oldest();
  const Offset end = durable_end();
  if (from >= first && from <= end) return {};
  return Status(Code::kOutOfRange,
                fmt::format("shard {}: offset {} is {}; it holds {} to {}", ToString(id_), from.value,
                            from < first ? "no longer kept" : "not there yet", first.value, end.value));
}

ShardLogImpl::Tail::const_iterator ShardLogImpl::FindInTail(Offset from) const {
  return std::ranges::upper_bound(tail_, from, {}, &protocol::Frame::end_offset);
}

bool ShardLogImpl::InTail(Tail::const_iterator found, Offset from) const {
  return found != tail_.end() && found->base_offset() <= from;
}

FrameRun ShardLogImpl::CopyRun(Tail::const_iterator first, Offset from, std::uint64_t bytes_max) const {
  FrameRun run{.frames = {}, .next = from};
  for (auto frame = first; frame != tail_.end(); ++frame) {
    if (!run.frames.empty() && (run.bytes + frame->size() > bytes_max || frame->base_offset() != run.next)) break;
    run.frames.push_back(*frame);
    run.bytes += frame->size();
    run.next = frame->end_offset();
  }
  return run;
}

Result<std::optional<FrameRun>> ShardLogImpl::ReadTail(Offset from, std::uint64_t bytes_max) {
  const MutexLock lock(mutex_);
  if (Status status = CheckRange(from); !status.ok()) return Error(std::move(status));
  from = BehindAcceptedLoss(from);
  if (from == durable_end()) return FrameRun{.frames = {}, .next = from};
  const auto found = FindInTail(from);
  if (!InTail(found, from)) return std::nullopt;
  return CopyRun(found, from, bytes_max);
}

std::shared_ptr<Segment> ShardLogImpl::FindSegment(Offset from) const {
  const auto after = std::ranges::upper_bound(segments_, from, {}, &Segment::base);
  if (after == segments_.begin()) return nullptr;
  const std::shared_ptr<Segment>& segment = *std::prev(after);
  return from < segment->extent().end ? segment : nullptr;
}

Offset ShardLogImpl::BehindAcceptedLoss(Offset from) const {
  for (const Hole& hole : holes_) {
    if (hole.accepted && hole.first <= from && from < hole.next) from = hole.next;
  }
  return from;
}

Status ShardLogImpl::HoleError(Offset from) const {
  for (const Hole& hole : holes_) {
    if (from < hole.first || from >= hole.next) continue;
    return Status(Code::kCorruption,
                  fmt::format("shard {}: offsets {} to {} are lost; read on at offset {}, or {}", ToString(id_),
                              hole.first.value, hole.next.value - 1, hole.next.value, kHowToAccept));
  }
  return Status(Code::kCorruption, fmt::format("shard {}: offset {} is in no segment", ToString(id_), from.value));
}

Result<FrameRun> ShardLogImpl::ReadBlocking(Offset from, std::uint64_t bytes_max) {
  std::shared_ptr<Segment> segment;
  {
    const MutexLock lock(mutex_);
    if (Status status = CheckRange(from); !status.ok()) return Error(std::move(status));
    from = BehindAcceptedLoss(from);
    if (from == durable_end()) return FrameRun{.frames = {}, .next = from};
    const auto found = FindInTail(from);
    if (InTail(found, from)) return CopyRun(found, from, bytes_max);
    segment = FindSegment(from);
    if (segment == nullptr) return Error(HoleError(from));
  }
  Result<FrameRun> run = segment->Read(from, bytes_max);
  if (run) return run;
  // Retention may have taken the file away meanwhile, and then its bytes are another segment's.
  if (Status status = CheckRange(from); !status.ok()) return Error(std::move(status));
  if (run.error().code() != Code::kCorruption) return run;
  return Error(Code::kCorruption, fmt::format("{}, or {}", run.error().message(), kHowToAccept));
}

Result<Offset> ShardLogImpl::OffsetAtTimeBlocking(std::int64_t time_ms) {
  std::shared_ptr<Segment> segment;
  {
    const MutexLock lock(mutex_);
    for (const std::shared_ptr<Segment>& each : segments_) {
      const SegmentExtent extent = each->extent();
      if (extent.end > extent.base && extent.last_append_time_ms >= time_ms) {
        segment = each;
        break;
      }
    }
    if (segment == nullptr) {
      for (const protocol::Frame& frame : tail_) {
        if (frame.header().append_time_ms >= time_ms) return std::max(frame.base_offset(), oldest());
      }
      return durable_end();
    }
  }
  const Result<Offset> start = segment->StartForTime(time_ms);
  if (!start && segment->base() < oldest()) return OffsetAtTimeBlocking(time_ms);  // retention took it meanwhile
  if (!start) return start;
  for (Offset from = std::max(*start, oldest()); from < durable_end();) {
    const Result<FrameRun> run = ReadBlocking(from, kTimeSearchBytes);
    if (!run && from < oldest()) return OffsetAtTimeBlocking(time_ms);
    if (!run) return Error(run.error());
    for (const protocol::Frame& frame : run->frames) {
      if (frame.header().append_time_ms >= time_ms) return std::max(frame.base_offset(), oldest());
    }
    from = run->next;
  }
  return durable_end();
}

Result<std::optional<ProducerBatch>> ShardLogImpl::Admit(const protocol::BatchHeader& header) {
  const MutexLock lock(mutex_);
  if (!quarantine_.empty()) {
    return Error(Code::kCorruption, quarantine_ + "; it takes no records until somebody has looked and has chosen to " +
                                        std::string(kHowToAccept));
  }
  if (!header.idempotent() && sealed_) return Error(Closed());
  if (!header.idempotent()) return std::nullopt;
  Result<std::optional<ProducerBatch>> known = producers_.Check(header);
  // A gap too: the batches before it may have been sent to the children.
  if (sealed_ && (known ? !known->has_value() : known.error().code() != Code::kFenced)) return Error(Closed());
  if (!known) return Error(known.error().WithContext("shard " + ToString(id_)));
  return known;
}

Status ShardLogImpl::Closed() const {
  return Status(Code::kShardClosed, fmt::format("shard {} is closed: it was split or merged; ask for the stream's "
                                                "shards and send the records to those that own their keys now",
                                                ToString(id_)));
}

void ShardLogImpl::Seal() {
  const MutexLock lock(mutex_);
  sealed_ = true;
}

protocol::Frame ShardLogImpl::Append(protocol::FrameBuffer batch, const protocol::BatchHeader& header,
                                     std::int64_t now_ms) {
  SLUICE_CHECK(header.record_count > 0);  // and not sealed: Admit
  SLUICE_CHECK(next_ >= durable_end());
  last_assigned_ms_ = std::max(last_assigned_ms_, now_ms);
  protocol::FrameHeader frame;
  frame.shard = id_;
  frame.base_offset = next_;
  frame.record_count = static_cast<std::uint32_t>(header.record_count);
  frame.append_time_ms = last_assigned_ms_;
  frame.durable_upto = durable_end();
  protocol::SetBaseOffset(batch.batch(), next_);
  next_ = frame.end_offset();
  if (header.idempotent()) {
    const MutexLock lock(mutex_);
    producers_.Add(header, frame.base_offset, frame.append_time_ms);
  }
  return protocol::Frame::Seal(std::move(batch), frame);
}

void ShardLogImpl::PushTail(protocol::Frame frame) {
  unwritten_bytes_ += frame.size();
  retained_bytes_.fetch_add(frame.size(), std::memory_order_relaxed);
  last_append_time_ms_.store(frame.header().append_time_ms, std::memory_order_release);
  durable_end_.store(frame.end_offset().value, std::memory_order_release);
  tail_.push_back(std::move(frame));
}

std::uint64_t ShardLogImpl::Publish(std::span<protocol::Frame> frames) {
  std::uint64_t forgotten = 0;
  std::uint64_t unwritten = 0;
  {
    const MutexLock lock(mutex_);
    for (protocol::Frame& frame : frames) {
      if (dropped_) {
        forgotten += frame.size();
        continue;
      }
      SLUICE_CHECK(frame.base_offset() == durable_end());
      PushTail(std::move(frame));
    }
    unwritten = unwritten_bytes_;
    CheckInvariants();
  }
  if (forgotten > 0) budget_.NoteForgotten(forgotten, forgotten);
  return unwritten;
}

void ShardLogImpl::TakeUnwritten(std::uint64_t bytes_max, std::vector<protocol::Frame>& frames) {
  frames.clear();
  const MutexLock lock(mutex_);
  SLUICE_CHECK(!writing_);
  std::uint64_t bytes = 0;
  for (auto frame = FindInTail(written_end_); frame != tail_.end(); ++frame) {
    if (!frames.empty() && (bytes + frame->size() > bytes_max || frame->base_offset() != frames.back().end_offset()))
      break;
    bytes += frame->size();
    frames.push_back(*frame);
  }
  writing_ = !frames.empty();
}

void ShardLogImpl::NoteWritten(Offset end) {
  std::uint64_t bytes = 0;
  {
    const MutexLock lock(mutex_);
    writing_ = false;
    if (dropped_) return;
    for (auto frame = FindInTail(written_end_); frame != tail_.end() && frame->end_offset() <= end; ++frame) {
      bytes += frame->size();
    }
    SLUICE_CHECK(bytes <= unwritten_bytes_);
    unwritten_bytes_ -= bytes;
    written_end_ = end;
    CheckInvariants();
  }
  budget_.NoteWritten(shared_from_this(), end, bytes);
}

void ShardLogImpl::GiveBack() {
  const MutexLock lock(mutex_);
  writing_ = false;
}

std::shared_ptr<Segment> ShardLogImpl::newest_segment() {
  const MutexLock lock(mutex_);
  return segments_.empty() ? nullptr : segments_.back();
}

bool ShardLogImpl::AddSegment(std::shared_ptr<Segment> segment) {
  const MutexLock lock(mutex_);
  if (dropped_) return false;
  SLUICE_CHECK(segments_.empty() || segments_.back()->extent().end <= segment->base());
  segments_.push_back(std::move(segment));
  return true;
}

std::uint64_t ShardLogImpl::segment_bytes() {
  const MutexLock lock(mutex_);
  std::uint64_t bytes = 0;
  for (const std::shared_ptr<Segment>& segment : segments_) bytes += segment->extent().bytes;
  return bytes;
}

std::uint64_t ShardLogImpl::EvictTail(Offset end) {
  Tail evicted;  // freed outside the lock
  std::uint64_t bytes = 0;
  const MutexLock lock(mutex_);
  while (!tail_.empty() && tail_.front().end_offset() <= std::min(end, written_end_)) {
    bytes += tail_.front().size();
    tail_.pop_front();
  }
  return bytes;
}

bool ShardLogImpl::HasInMemory(Offset end) const {
  const MutexLock lock(mutex_);
  return !tail_.empty() && tail_.front().end_offset() <= end;
}

void ShardLogImpl::CheckInvariants() const {
#ifndef NDEBUG
  SLUICE_CHECK(oldest() <= durable_end() && written_end_ <= durable_end());
  SLUICE_CHECK(tail_.empty() || tail_.back().end_offset() == durable_end() || !holes_.empty());
  SLUICE_CHECK(segments_.empty() || segments_.back()->extent().end <= durable_end());
  SLUICE_CHECK(unwritten_bytes_ == 0 || !tail_.empty());
#endif
}

ShardRecord ShardLogImpl::Snapshot() {
  const MutexLock lock(mutex_);
  ShardRecord record;
  record.id = id_;
  record.oldest = oldest();
  record.end = written_end_;
  record.quarantine = quarantine_;
  record.holes = holes_;
  for (const std::shared_ptr<Segment>& segment : segments_) {
    const SegmentExtent extent = segment->extent();
    if (extent.end == extent.base) continue;
    record.segments.push_back(extent);
    record.last_append_time_ms = extent.last_append_time_ms;
  }
  if (record.segments.empty()) record.last_append_time_ms = last_append_time_ms();
  record.producers = producers_.Snapshot(written_end_);
  return record;
}

std::vector<std::shared_ptr<Segment>> ShardLogImpl::Segments() {
  const MutexLock lock(mutex_);
  return segments_;
}

void ShardLogImpl::Restore(const ShardRecord& record, std::vector<std::shared_ptr<Segment>> segments) {
  const MutexLock lock(mutex_);
  SLUICE_CHECK(durable_end().value == 0 && segments_.empty());
  segments_ = std::move(segments);
  std::uint64_t bytes = 0;
  for (const std::shared_ptr<Segment>& segment : segments_) bytes += FrameBytes(segment->extent());
  next_ = written_end_ = record.end;
  last_assigned_ms_ = record.last_append_time_ms;
  oldest_ = record.oldest.value;
  durable_end_ = record.end.value;
  last_append_time_ms_ = record.last_append_time_ms;
  retained_bytes_ = bytes;
  holes_ = record.holes;
  for (const Hole& hole : holes_) {
    if (hole.next <= durable_end()) continue;
    next_ = hole.next;
    durable_end_ = hole.next.value;
  }
  quarantine_ = record.quarantine;
  producers_.Restore(record.producers);
  CheckInvariants();
}

void ShardLogImpl::Replay(protocol::Frame frame, const protocol::BatchHeader& batch) {
  budget_.NoteAppended(frame.size());
  const MutexLock lock(mutex_);
  SLUICE_CHECK(frame.base_offset() >= durable_end());
  if (batch.idempotent()) producers_.Add(batch, frame.base_offset(), frame.header().append_time_ms);
  next_ = frame.end_offset();
  last_assigned_ms_ = std::max(last_assigned_ms_, frame.header().append_time_ms);
  PushTail(std::move(frame));
}

void ShardLogImpl::Quarantine(std::string reason, std::optional<Hole> hole) {
  const MutexLock lock(mutex_);
  SLUICE_CHECK(!reason.empty());
  if (quarantine_.empty()) quarantine_ = std::move(reason);
  if (!hole) return;
  AddHole(*hole);
  if (hole->next <= durable_end()) return;
  next_ = hole->next;
  durable_end_ = hole->next.value;
}

void ShardLogImpl::AddHole(const Hole& hole) {
  SLUICE_CHECK(hole.first < hole.next);
  const bool known =
      std::ranges::any_of(holes_, [&](const Hole& each) { return each.first <= hole.first && hole.next <= each.next; });
  if (known) return;
  holes_.insert(std::ranges::upper_bound(holes_, hole.first, {}, &Hole::first), hole);
}

ShardDamage ShardLogImpl::damage() const {
  const MutexLock lock(mutex_);
  ShardDamage damage{.quarantine = quarantine_, .holes = holes_};
  for (const std::shared_ptr<Segment>& segment : segments_) {
    for (const Hole& hole : segment->damage()) {
      if (BehindAcceptedLoss(hole.first) < hole.next) damage.holes.push_back(hole);
    }
  }
  std::ranges::sort(damage.holes, {}, &Hole::first);
  return damage;
}

std::vector<Hole> ShardLogImpl::AcceptLoss() {
  std::vector<Hole> damaged;
  for (const std::shared_ptr<Segment>& segment : Segments()) {
    for (const Hole& hole : segment->TakeDamage()) damaged.push_back(hole);
  }
  const MutexLock lock(mutex_);
  for (const Hole& hole : damaged) AddHole(hole);
  quarantine_.clear();
  std::vector<Hole> accepted;
  for (Hole& hole : holes_) {
    if (!std::exchange(hole.accepted, true)) accepted.push_back(hole);
  }
  return accepted;
}

std::vector<std::shared_ptr<Segment>> ShardLogImpl::Trim(const RetentionPolicy& policy, std::int64_t now_ms) {
  std::vector<std::shared_ptr<Segment>> removed;
  std::uint64_t evicted = 0;
  {
    const MutexLock lock(mutex_);
    const auto expired = [&](const SegmentExtent& extent) {
      if (policy.age_ms_max && extent.last_append_time_ms < now_ms - *policy.age_ms_max) return true;
      return policy.bytes_max && retained_bytes() >= *policy.bytes_max + FrameBytes(extent);
    };
    while (!segments_.empty()) {
      const SegmentExtent extent = segments_.front()->extent();
      // The newest segment may go when it is complete and nobody is about to write to it.
      const bool in_use = segments_.size() == 1 && (writing_ || written_end_ != durable_end());
      if (in_use || extent.end > policy.keep_from || extent.end == extent.base || !expired(extent)) break;
      if (segments_.size() == 1 && !policy.age_ms_max && policy.keep_newest) break;
      removed.push_back(std::move(segments_.front()));
      segments_.erase(segments_.begin());
      retained_bytes_.fetch_sub(FrameBytes(extent), std::memory_order_relaxed);
      oldest_.store(std::max(extent.end, oldest()).value, std::memory_order_release);
      std::erase_if(holes_, [this](const Hole& hole) { return hole.next <= oldest(); });
      while (!tail_.empty() && tail_.front().end_offset() <= extent.end) {
        evicted += tail_.front().size();
        tail_.pop_front();
      }
    }
    CheckInvariants();
  }
  if (evicted > 0) budget_.NoteForgotten(evicted, 0);
  return removed;
}

std::vector<std::shared_ptr<Segment>> ShardLogImpl::Drop() {
  std::uint64_t bytes = 0;
  std::uint64_t unwritten = 0;
  std::vector<std::shared_ptr<Segment>> segments;
  {
    const MutexLock lock(mutex_);
    if (dropped_) return {};
    dropped_ = true;
    for (const protocol::Frame& frame : tail_) bytes += frame.size();
    unwritten = std::exchange(unwritten_bytes_, 0);
    tail_.clear();
    segments.swap(segments_);
    oldest_ = durable_end_.load();
    written_end_ = durable_end();
    retained_bytes_ = 0;
  }
  budget_.NoteForgotten(bytes, unwritten);
  return segments;
}

}  // namespace sluice::storage
