// Checkpoint, replay, quarantine.
#include "storage/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "protocol/check.h"

namespace sluice::storage {
namespace {

/// Where it is not known how much was lost, so many offsets are given up: more than a shard can lose in one group.
constexpr std::uint64_t kUnknownLossOffsets = 1u << 20;

}  // namespace

Result<Recovery::Outcome> Recovery::Run() {
  Result<CheckpointFiles::Loaded> loaded = parts_.checkpoints.Load();
  if (!loaded) return Error(std::move(loaded.error()));
  Result<std::vector<JournalFiles::Found>> found = parts_.journal_files.Open();
  if (!found) return Error(std::move(found.error()));
  Result<std::vector<SegmentName>> names = parts_.segments.Open();
  if (!names) return Error(std::move(names.error()));
  names_ = {names->begin(), names->end()};
  report_.notes = loaded->damaged;
  JournalReader reader(std::move(*found));
  report_.new_directory = !loaded->newest && loaded->damaged.empty() && names_.empty() && reader.files().empty();

  Checkpoint checkpoint;
  if (std::optional<Checkpoint> trusted = Trusted(*loaded, reader)) {
    checkpoint = std::move(*trusted);
    RestoreShards(checkpoint);
    if (Status status = RetireOrphans(checkpoint); !status.ok()) return Error(std::move(status));
  } else {
    report_.notes.push_back("no checkpoint can be trusted: the shards were rebuilt from their segments");
    if (Status status = Rebuild(); !status.ok()) return Error(std::move(status));
    // Not the first file: where that one is the oldest, the journal has everything and the segments are not asked.
    checkpoint.replay = {.file_sequence = 2, .position = kJournalFirstGroupAt, .group = 1};
    if (!reader.files().empty()) {
      const JournalReader::LiveFile& oldest = reader.files().front();
      checkpoint.replay = {oldest.sequence, kJournalFirstGroupAt, oldest.first_group.value_or(1)};
    }
    checkpoint.sequence = loaded->newest ? loaded->newest->sequence : 0;
  }
  report_.clean_shutdown = checkpoint.clean;
  if (!checkpoint.clean) {
    if (Status status = CheckJournalFiles(); !status.ok()) return Error(std::move(status));
  }
  const JournalReader::Visitor visitor{
      .frame = [this](protocol::Frame frame) { return ReplayFrame(std::move(frame)); },
      .damage = [this](const JournalDamage& damage) { NoteDamage(damage); },
  };
  Result<JournalReader::Summary> summary =
      reader.Read(checkpoint.replay, checkpoint.durable_mark, checkpoint.clean, visitor);
  if (!summary) return Error(std::move(summary.error()));
  if (Status status = FinishWriting(); !status.ok()) return Error(std::move(status));
  SettleDamage();
  for (const JournalReader::LiveFile& file : reader.files()) {
    if (file.sequence >= checkpoint.replay.file_sequence) parts_.journal_files.SetLive(file.found->file, file.sequence);
  }
  report_.journal_bytes_scanned = summary->bytes_scanned;
  report_.torn_bytes_cut = summary->torn_bytes;
  return Outcome{.checkpoint_sequence = checkpoint.sequence,
                 .replay = checkpoint.replay,
                 .next_sequence = summary->last_sequence + 1,
                 .next_group = summary->last_group + 1};
}

std::optional<Checkpoint> Recovery::Trusted(CheckpointFiles::Loaded& loaded, const JournalReader& journal) {
  if (loaded.newest && loaded.damaged.empty()) return std::move(loaded.newest);
  Checkpoint checkpoint;
  if (loaded.newest) {
    checkpoint = std::move(*loaded.newest);
  } else {
    checkpoint.replay = {.file_sequence = 1, .position = kJournalFirstGroupAt, .group = 1};  // before the first one
  }
  // A copy is damaged or missing. It was either torn while it was being written, and then the one we have is the newest
  // and the journal since is complete, or it was newer and is lost, and then files that this one names may have been
  // used again.
  std::uint64_t expected = checkpoint.replay.file_sequence;
  for (const JournalReader::LiveFile& file : journal.files()) {
    if (file.sequence >= checkpoint.replay.file_sequence && file.sequence != expected++) return std::nullopt;
  }
  const bool begun = checkpoint.replay.position > kJournalFirstGroupAt || !names_.empty();
  if (expected == checkpoint.replay.file_sequence && begun) return std::nullopt;
  for (const ShardRecord& shard : checkpoint.shards) {
    for (const SegmentExtent& segment : shard.segments) {
      if (!names_.contains({shard.id, segment.base})) return std::nullopt;
    }
  }
  return checkpoint;
}

Status Recovery::CheckJournalFiles() const {
  const std::vector<std::string>& missing = parts_.journal_files.missing();
  if (missing.empty()) return {};
  return Status(Code::kCorruption,
                fmt::format("{}; it may have held the records that were acknowledged last. Put it back as it was. If it "
                            "is gone for good, remove {} and start again: what was in that file alone is lost then",
                            missing.front(), parts_.journal_files.list_path()));
}

ShardLogImpl& Recovery::Shard(ShardId id) {
  std::shared_ptr<ShardLogImpl>& shard = shards_[id];
  if (shard == nullptr) shard = std::make_shared<ShardLogImpl>(id, parts_.budget);
  return *shard;
}

void Recovery::RestoreShards(const Checkpoint& checkpoint) {
  for (const ShardRecord& record : checkpoint.shards) {
    std::vector<std::shared_ptr<Segment>> segments;
    std::vector<std::pair<std::string, Hole>> missing;
    for (const SegmentExtent& extent : record.segments) {
      const SegmentName name{record.id, extent.base};
      if (names_.contains(name)) {
        segments.push_back(std::make_shared<Segment>(parts_.segments, name, extent));
      } else {
        missing.emplace_back(parts_.segments.PathOf(name) + " is missing", Hole{extent.base, extent.end});
      }
    }
    ShardLogImpl& shard = Shard(record.id);
    shard.Restore(record, std::move(segments));
    if (!record.quarantine.empty()) report_.quarantined.push_back(record.quarantine);
    for (auto& [reason, hole] : missing) Quarantine(shard, std::move(reason), hole);
  }
}

Status Recovery::RetireOrphans(const Checkpoint& checkpoint) {
  // Segments that the checkpoint does not name were made after it, and the journal still has what is in them, or they
  // were let go of before it.
  std::set<SegmentName> orphans = names_;
  for (const ShardRecord& shard : checkpoint.shards) {
    for (const SegmentExtent& segment : shard.segments) orphans.erase({shard.id, segment.base});
  }
  for (const SegmentName& name : orphans) parts_.segments.Retire(name);
  return parts_.segments.SyncNames();
}

Status Recovery::Rebuild() {
  std::map<ShardId, std::vector<SegmentName>> by_shard;
  for (const SegmentName& name : names_) by_shard[name.shard].push_back(name);
  for (const auto& [id, names] : by_shard) {
    if (Status status = RebuildShard(id, names); !status.ok()) return status;
  }
  return {};
}

Status Recovery::RebuildShard(ShardId id, const std::vector<SegmentName>& names) {
  ShardRecord record;
  record.id = id;
  record.oldest = record.end = names.front().base_offset;
  ProducerTable producers;
  std::vector<std::shared_ptr<Segment>> segments;
  std::vector<Hole> holes;
  for (const SegmentName& name : names) {
    const SegmentExtent empty{.base = name.base_offset, .end = name.base_offset};
    auto segment = std::make_shared<Segment>(parts_.segments, name, empty);
    const auto visit = [&](std::string_view frame, const protocol::FrameHeader& header) {
      const auto batch = protocol::ParseBatchHeader(frame.substr(protocol::kFrameHeaderSize));
      if (batch && batch->idempotent()) producers.Add(*batch, header.base_offset, header.append_time_ms);
    };
    Result<SegmentExtent> extent = segment->Rebuild(visit);
    if (!extent) return extent.error();
    if (extent->end == extent->base) {
      parts_.segments.Retire(name);  // made, never written
      continue;
    }
    if (name.base_offset > record.end) holes.push_back({record.end, name.base_offset});
    record.end = extent->end;
    record.last_append_time_ms = extent->last_append_time_ms;
    segments.push_back(std::move(segment));
  }
  record.producers = producers.Snapshot(record.end);
  ShardLogImpl& shard = Shard(id);
  shard.Restore(record, std::move(segments));
  for (const Hole& hole : holes) {
    Quarantine(shard, fmt::format("the segments do not hold offsets {} to {}", hole.first.value, hole.next.value - 1),
               hole);
  }
  return {};
}

Status Recovery::ReplayFrame(protocol::Frame frame) {
  ShardLogImpl& shard = Shard(frame.header().shard);
  const Offset end = shard.durable_end();
  if (frame.end_offset() <= end) return {};  // in a segment already
  const Result<protocol::BatchHeader> batch = protocol::ParseBatchHeader(frame.batch());
  if (!batch || frame.base_offset() < end) {
    Quarantine(shard, fmt::format("the journal's frame at offset {} does not fit", frame.base_offset().value),
               std::nullopt);
    return {};
  }
  if (frame.base_offset() > end) {
    const Hole hole{end, frame.base_offset()};
    Quarantine(shard, fmt::format("the journal does not hold offsets {} to {}", hole.first.value, hole.next.value - 1),
               hole);
  } else {
    proven_.insert(shard.id());
  }
  shard.Replay(std::move(frame), *batch);
  ++report_.frames_replayed;
  return parts_.budget.pressed() ? WriteTails() : Status();
}

Status Recovery::WriteTails() {
  const bool busy = writing_.valid() && writing_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
  if (busy && !parts_.budget.full()) return {};
  if (Status status = FinishWriting(); !status.ok()) return status;
  std::vector<std::shared_ptr<ShardLogImpl>> shards;
  for (const auto& [id, shard] : shards_) shards.push_back(shard);
  writing_ = std::async(std::launch::async, [this, shards = std::move(shards)] {
    for (const auto& shard : shards) {
      if (Status status = parts_.write_tail(*shard); !status.ok()) return status;
    }
    return Status();
  });
  return {};
}

Status Recovery::FinishWriting() { return writing_.valid() ? writing_.get() : Status(); }

void Recovery::NoteDamage(const JournalDamage& damage) {
  for (const GroupEntry& entry : damage.lost) lost_.emplace_back(entry, damage.path);
  if (damage.complete) return;
  unknown_damage_ =
      fmt::format("journal file {} is damaged at byte {} (group {})", damage.path, damage.position, damage.group);
  proven_.clear();
}

void Recovery::SettleDamage() {
  for (const auto& [entry, path] : lost_) {
    ShardLogImpl& shard = Shard(entry.shard);
    const Offset next = entry.base_offset + entry.record_count;
    if (shard.durable_end() >= next) continue;  // in a segment, or a hole already
    Quarantine(shard, fmt::format("journal file {} is damaged", path), Hole{shard.durable_end(), next});
  }
  if (unknown_damage_.empty()) return;
  for (const auto& [id, shard] : shards_) {
    if (proven_.contains(id)) continue;
    const Offset end = shard->durable_end();
    Quarantine(*shard, unknown_damage_ + "; it may have held records of this shard",
               Hole{end, end + kUnknownLossOffsets});
  }
}

void Recovery::Quarantine(ShardLogImpl& shard, std::string reason, std::optional<Hole> hole) {
  const std::string what = hole ? fmt::format("offsets {} to {} are lost", hole->first.value, hole->next.value - 1)
                                : std::string("it is damaged");
  std::string text = fmt::format("shard {} is quarantined, {}: {}", ToString(shard.id()), what, reason);
  shard.Quarantine(text, hole);
  report_.quarantined.push_back(std::move(text));
}

}  // namespace sluice::storage
