// Line by line, in batches.
#include "broker/delivery/replay_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::delivery {
namespace {

constexpr std::uint64_t kBatchBytes = 1u << 20;
constexpr std::uint64_t kRecordBytes = 64;  // what a record costs besides its value

bool Has(const std::vector<ProcessorConfig>& processors, std::string_view type) {
  return std::ranges::find(processors, type, &ProcessorConfig::type) != processors.end();
}

/// A shard without records is forgotten some time; what failed of it tells when it was made.
void Remember(const ErrorRecord& record, SourceStream& stream) {
  if (stream.Find(record.place.shard) != nullptr) return;
  const auto place = std::ranges::upper_bound(stream.shards, record.place.shard, {}, &SourceShard::shard);
  stream.shards.insert(place, {.shard = record.place.shard, .created_ms = record.shard_created_ms});
}

}  // namespace

PipelineEntry EntryOf(const ErrorRecord& record, const std::vector<ProcessorConfig>& processors) {
  constexpr std::string_view kLogs = "CloudWatchLogProcessing";
  constexpr std::string_view kDeaggregation = "RecordDeAggregation";
  if (!record.place.sub_sequence) return PipelineEntry::kLog;
  const std::string_view code = record.code;
  const bool by_logs = Has(processors, kLogs);
  const bool by_processors = by_logs || Has(processors, kDeaggregation);
  const bool failed_first = code.starts_with("Decompression") || code.starts_with(kLogs);
  if (failed_first || !by_processors) return PipelineEntry::kPart;
  if (!code.starts_with(kDeaggregation)) return PipelineEntry::kOpened;
  return by_logs ? PipelineEntry::kText : PipelineEntry::kPart;
}

Status ReplayReader::Read(const std::vector<ReplayedLines>& replays, SourceStream& stream, SpillCounts& counts) {
  for (const ReplayedLines& replay : replays) {
    if (Status status = ReadLines(replay, stream, counts); !status.ok()) return status;
  }
  if (Status status = Flush(); !status.ok()) return status;
  for (const auto& [entry, pipeline] : pipelines_) {
    if (Status status = pipeline->Finish(); !status.ok()) return status;
    counts.user_records += pipeline->user_records();
    counts.filtered += pipeline->filtered();
  }
  return Status();
}

Status ReplayReader::ReadLines(const ReplayedLines& replay, SourceStream& stream, SpillCounts& counts) {
  std::uint64_t found = 0;
  const auto look = [&](const ErrorLine& line) {
    Result<ErrorRecord> record = ReadErrorRecordLine(line.text);
    if (!record) return record.error();
    ++found;
    Remember(*record, stream);
    batch_bytes_ += record->raw.size() + kRecordBytes;
    batch_.push_back(std::move(*record));
    return batch_bytes_ >= kBatchBytes ? Flush() : Status();
  };
  if (const Result<std::uint64_t> gone = errors_.Read(replay, look); !gone) return gone.error();
  counts.records += found;
  if (found == CountLines(replay.lines)) return Status();
  return Status(Code::kCorruption,
                fmt::format("{} of {} error records that were to be delivered again are gone from '{}'",
                            CountLines(replay.lines) - found, CountLines(replay.lines), replay.key));
}

Status ReplayReader::Flush() {
  std::map<PipelineEntry, std::vector<RecordRef>> records;
  for (const ErrorRecord& record : batch_) {
    records[EntryOf(record, config_.processors)].push_back({.value = record.raw,
                                                            .key = "",
                                                            .shard = record.place.shard,
                                                            .offset = record.place.offset,
                                                            .append_time_ms = record.arrival_ms,
                                                            .sub_sequence = record.place.sub_sequence});
  }
  for (const auto& [entry, refs] : records) {
    if (Status status = PipelineOf(entry).Append(refs); !status.ok()) return status;
  }
  batch_.clear();
  batch_bytes_ = 0;
  return Status();
}

RecordPipeline& ReplayReader::PipelineOf(PipelineEntry entry) {
  std::unique_ptr<RecordPipeline>& pipeline = pipelines_[entry];
  if (pipeline == nullptr) pipeline = std::make_unique<RecordPipeline>(config_, host_, sink_, entry);
  return *pipeline;
}

}  // namespace sluice::delivery
