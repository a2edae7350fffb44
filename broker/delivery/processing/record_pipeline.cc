// Batches on their way through the processors.
#include "broker/delivery/processing/record_pipeline.h"

#include <algorithm>

#include "broker/delivery/processing/processor_registry.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::uint64_t kRecordBytes = 64;  // what a record costs besides its value: many small ones are a batch, too

}  // namespace

RecordPipeline::RecordPipeline(const DeliveryConfig& config, ProcessorHost& host, Sink& sink)
    : sink_(sink), opener_(config.deaggregate_kpl) {
  const ProcessorContext context{.delivery_stream = config.name,
                                 .source_stream = config.direct_put ? "" : std::string_view(config.source_stream),
                                 .host = &host};
  for (const ProcessorKind& kind : ProcessorKinds()) {
    const auto wanted = std::ranges::find(config.processors, kind.type, &ProcessorConfig::type);
    if (wanted == config.processors.end()) continue;
    Result<std::unique_ptr<Processor>> processor = kind.make(*wanted, context);
    SLUICE_CHECK(processor.has_value());
    batch_bytes_max_ = std::min(batch_bytes_max_, (*processor)->batch_bytes());
    processors_.push_back(std::move(*processor));
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

Status RecordPipeline::ProcessBatch() {
  for (const std::unique_ptr<Processor>& processor : processors_) {
    if (Status status = processor->Process(batch_); !status.ok()) return status;
  }
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
