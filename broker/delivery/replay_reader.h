// The records of a replay: error records, which go through the processors as they are configured now, from
// where each of them had come to be by itself.
//
// An error record has the bytes that the first processor was given, or, of a part of an opened record, those of the
// part. So what opens records must not see a part again; that is decided by what the record failed on.
//
// One thread at a time. Memory: a batch of records, and what the pipelines hold.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "broker/delivery/delivery_config.h"
#include "broker/delivery/error_source.h"
#include "broker/delivery/processing/processor_host.h"
#include "broker/delivery/processing/record_pipeline.h"
#include "broker/delivery/record_source.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// Where the record goes in, with these processors.
PipelineEntry EntryOf(const ErrorRecord& record, const std::vector<ProcessorConfig>& processors);

class ReplayReader {
 public:
  /// All outlive it.
  ReplayReader(const DeliveryConfig& config, ProcessorHost& host, ErrorReader& errors, RecordPipeline::Sink& sink)
      : config_(config), host_(host), errors_(errors), sink_(sink) {}

  /// Adds the shards that the source has forgotten since to `stream`, before the sink is told of their records.
  /// kNotFound, kCorruption: something is not what was written, or no longer there.
  Status Read(const std::vector<ReplayedLines>& replays, SourceStream& stream, SpillCounts& counts);

 private:
  Status ReadLines(const ReplayedLines& replay, SourceStream& stream, SpillCounts& counts);
  Status Flush();
  RecordPipeline& PipelineOf(PipelineEntry entry);

  const DeliveryConfig& config_;
  ProcessorHost& host_;
  ErrorReader& errors_;
  RecordPipeline::Sink& sink_;
  std::map<PipelineEntry, std::unique_ptr<RecordPipeline>> pipelines_;
  std::vector<ErrorRecord> batch_;
  std::uint64_t batch_bytes_ = 0;
};

}  // namespace sluice::delivery
