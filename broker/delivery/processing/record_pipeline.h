// From records as they are in the log to what an object writer takes: aggregates are opened, then the processors run
// over batches of about a MiB, or less where a processor wants that.
//
// Without processors records pass without a copy. All records that come of one record of the log are told apart by
// their place in it (RecordRef::sub_sequence), and are processed in one batch.
//
// One thread at a time. Memory: one batch and what its processors make of it.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "broker/delivery/aggregate_opener.h"
#include "broker/delivery/delivery_config.h"
#include "broker/delivery/processing/processor.h"
#include "broker/delivery/processing/processor_host.h"
#include "broker/delivery/processing/processor_registry.h"
#include "sluice/status.h"

namespace sluice::delivery {

class RecordPipeline {
 public:
  /// Takes what comes out, in order; the views live until it returns. What it returns ends the work.
  class Sink {
   public:
    virtual ~Sink() = default;
    /// `work` are the same records with their sources and keys; empty where they are as they were in the log.
    virtual Status Records(std::span<const RecordRef> records, std::span<const WorkRecord> work) = 0;
    virtual Status Failed(const ProcessingFailure& failure) = 0;
  };

  /// The configuration was read without a problem; it, the host and the sink outlive the pipeline.
  RecordPipeline(const DeliveryConfig& config, ProcessorHost& host, Sink& sink,
                 PipelineEntry entry = PipelineEntry::kLog);

  /// Records of the log, or what the entry says.
  Status Append(std::span<const RecordRef> records);
  /// Processes what is left.
  Status Finish();

  bool processes() const { return !processors_.empty(); }
  /// With what opened records hold in their place: handed on, failed or filtered.
  std::uint64_t user_records() const { return user_records_; }
  std::uint64_t filtered() const { return filtered_; }

 private:
  Status AppendOpened(std::span<const RecordRef> records);
  Status PassOn(std::span<const RecordRef> records);
  Status ProcessBatch();
  Status RunProcessors();

  struct Step {
    std::string type;
    std::unique_ptr<Processor> processor;
  };

  ProcessorHost& host_;
  Sink& sink_;
  std::vector<RecordRef> processed_;  // of batch_; empty between calls
  AggregateOpener opener_;
  std::vector<Step> processors_;
  std::uint64_t batch_bytes_max_ = std::numeric_limits<std::uint64_t>::max();  // the least of the processors'
  WorkBatch batch_;
  std::uint64_t batch_bytes_ = 0;
  std::uint64_t user_records_ = 0;
  std::uint64_t filtered_ = 0;
};

}  // namespace sluice::delivery
