// Objects, from their spools into the lake.
#include "broker/delivery/data_output.h"

#include "broker/delivery/converted_object_writer.h"
#include "broker/delivery/error_record.h"
#include "broker/delivery/raw_object_writer.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

/// What stands for the ranges that a replay does not have.
std::vector<std::pair<std::string, std::string>> ReplayMark(const Intent& intent) {
  if (intent.replays.empty()) return {};
  return {{"replay", std::to_string(intent.seq)}};
}

}  // namespace

Status DataObject::Open() {
  const DeliveryConfig& config = parts_.terms.config;
  Result<std::unique_ptr<ObjectSpool>> spool = parts_.objects.NewSpool(config.bucket, spool_name_);
  if (!spool) return spool.error();
  spool_ = std::move(*spool);
  if (!config.convert) spool_->content_encoding = RawCompressionContentEncoding(config.compression);
  Result<std::unique_ptr<ObjectWriter>> writer =
      config.convert ? NewConvertedObjectWriter(config, parts_.schema, *spool_)
                     : NewRawObjectWriter({.compression = config.compression,
                                           .delimiter = config.delimiter,
                                           .delimiter_after_last = config.delimiter_after_last,
                                           .zip_entry_name = HashedUuid(key_)},
                                          *spool_);
  if (!writer) return writer.error();
  writer_ = std::move(*writer);
  return Status();
}

Status DataObject::Append(std::span<const RecordRef> records, std::span<const WorkRecord> work) {
  Result<AppendOutcome> outcome = writer_->Append(records);
  if (!outcome) return outcome.error();
  if (outcome->overflow_fields > 0) parts_.learn(records);
  for (RecordError& error : outcome->errors) {
    SLUICE_CHECK(error.index < records.size());
    RecordRef source = records[error.index];
    if (!work.empty()) source.value = work[error.index].source;
    Status status =
        parts_.errors.Add({source, kFormatConversionFailed, std::string(error.code), std::move(error.message)});
    if (!status.ok()) return status;
  }
  return Status();
}

Result<std::unique_ptr<ObjectSpool>> DataObject::Close(LedgerEntry& entry) {
  const ObjectMetadata metadata{.stream = parts_.stream.name,
                                .delivery_stream = parts_.terms.config.name,
                                .uid = parts_.intent.uid,
                                .ranges = parts_.intent.ranges,
                                .schema_version = parts_.intent.schema_version,
                                .extra = ReplayMark(parts_.intent)};
  const Result<ObjectSummary> summary = writer_->Finish(metadata);
  if (!summary) return Error(summary.error());
  writer_.reset();
  entry.rows += summary->rows;
  entry.overflow_fields += summary->overflow_fields;
  if (summary->user_records == summary->errors) return nullptr;
  entry.objects.push_back({key_, false, summary->rows, spool_->bytes(), spool_->checksum()});
  return std::move(spool_);
}

Status DirectOutput::Finish(LedgerEntry& entry) {
  Result<std::unique_ptr<ObjectSpool>> spool = data_.Close(entry);
  if (!spool) return spool.error();
  if (*spool != nullptr) {
    Status status = parts_.objects.Put(parts_.terms.config.bucket, data_.key(), std::move(*spool));
    if (!status.ok()) return status;
  }
  return parts_.errors.Finish(entry);
}

}  // namespace sluice::delivery
