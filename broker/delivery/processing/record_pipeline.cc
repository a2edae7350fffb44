// Batches on their way through the processors.
#include "broker/delivery/processing/record_pipeline.h"

#include <algorithm>

#include "broker/delivery/processing/processor_registry.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::uint64_t kRecordBytes = 64;  // what a record costs besides its value: many small ones are a batch, too

}  // namespace

RecordPipeline::RecordPipeline(const DeliveryConfig& config, ProcessorHost& host, Sink& sink, PipelineEntry entry)
    : host_(host), sink_(sink), opener_(config.deaggregate_kpl && entry == PipelineEntry::kLog) {
  const ProcessorContext context{.delivery_stream = config.name,
                                 .source_stream = config.direct_put ? "" : std::string_view(config.source_stream),
                                 .host = &host};
  for (const ProcessorKind& kind : ProcessorKinds()) {
    const auto wanted = std::ranges::find(config.processors, kind.type, &ProcessorConfig::type);
    if (wanted == config.processors.end() || entry > kind.entry) continue;
    Result<std::unique_ptr<Processor>> processor = kind.make(*wanted, context);
    SLUICE_CHECK(processor.has_value());
    batch_bytes_max_ = std::min(batch_bytes_max_, (*processor)->batch_bytes());
    processors_.push_back({std::string(kind.type), std::move(*processor)});
  }
}

Status RecordPipeline::Append(std::span<const RecordRef> records) {
  return opener_.Open(records, [this](std::span<const RecordRef> opened) {
    return processes() ? AppendOpened(opened) : PassOn(opened);
  });
}

Status RecordPipeline::PassOn(std::span<const RecordRef> records) {
  user_records_ += records.size();
  return sink_.Records(records, {});
}

/// A batch ends between records of the log.
Status RecordPipeline::AppendOpened(std::span<const RecordRef> records) {
  for (const RecordRef& record : records) {
    if (batch_bytes_ >= batch_bytes_max_ && !SameLogRecord(batch_.records.back(), record)) {
      if (Status status = ProcessBatch(); !status.ok()) return status;
    }
    batch_.Add(record);
    batch_bytes_ += record.value.size() + kRecordBytes;
  }
  return Status();
}

Status RecordPipeline::Finish() { return batch_.records.empty() ? Status() : ProcessBatch(); }

/// What a processor did is counted, also where it failed.
Status RecordPipeline::RunProcessors() {
  const auto now_ns = [this] { return host_.clock == nullptr ? 0 : host_.clock->MonotonicNs(); };
  std::int64_t before_ns = now_ns();
  for (const Step& step : processors_) {
    Status status = step.processor->Process(batch_);
    const std::int64_t after_ns = now_ns();
    ProcessorCounts::Work& work = host_.counts.by_type[step.type];
    work.ns += after_ns - before_ns;
    ++work.batches;
    before_ns = after_ns;
    if (!status.ok()) return status;
  }
  return Status();
}

Status RecordPipeline::ProcessBatch() {
  if (Status status = RunProcessors(); !status.ok()) return status;
  user_records_ += batch_.records.size() + batch_.failures.size() + batch_.filtered;
  filtered_ += batch_.filtered;
  processed_.clear();
  for (const WorkRecord& record : batch_.records) processed_.push_back(record.record);
  Status status = sink_.Records(processed_, batch_.records);
  for (const ProcessingFailure& failure : batch_.failures) {
    if (!status.ok()) break;
    status = sink_.Failed(failure);
  }
  batch_.Clear();
  batch_bytes_ = 0;
  return status;
}

}  // namespace sluice::delivery
