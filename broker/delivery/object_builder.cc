// From the records of an intent to its objects.
#include "broker/delivery/object_builder.h"

#include <fmt/format.h>

#include "broker/delivery/aggregate_opener.h"
#include "broker/delivery/error_record.h"
#include "broker/delivery/parquet_object_writer.h"
#include "broker/delivery/raw_object_writer.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::uint64_t kReadBytes = 4u << 20;

}  // namespace

/// The data object and the error object while they are written.
class ObjectBuilder::Output {
 public:
  Output(ObjectBuilder& builder, const SourceStream& stream, const Intent& intent)
      : builder_(builder), stream_(stream), intent_(intent), opener_(builder.config_.deaggregate_kpl) {}

  Status Open() {
    const DeliveryConfig& config = builder_.config_;
    Result<std::unique_ptr<ObjectSpool>> spool = builder_.objects_.NewSpool(config.bucket, config.name + ".data");
    if (!spool) return spool.error();
    data_ = std::move(*spool);
    Result<std::unique_ptr<ObjectWriter>> writer =
        config.convert
            ? NewParquetObjectWriter(config.parquet, builder_.schema_, config.converter, *data_)
            : NewRawObjectWriter({.compression = config.compression,
                                  .delimiter = config.delimiter,
                                  .delimiter_after_last = config.delimiter_after_last,
                                  .zip_entry_name = intent_.data_key.substr(intent_.data_key.rfind('/') + 1)},
                                 *data_);
    if (!writer) return writer.error();
    writer_ = std::move(*writer);
    return Status();
  }

  /// Records as they are in the log.
  Status Append(std::span<const RecordRef> records) {
    records_ += records.size();
    for (const RecordRef& record : records) bytes_in_ += record.value.size();
    return opener_.Open(records, [this](std::span<const RecordRef> opened) { return AppendOpened(opened); });
  }
  Result<LedgerEntry> Finish() {
    const ObjectMetadata metadata{.stream = stream_.name,
                                  .delivery_stream = builder_.config_.name,
                                  .uid = intent_.uid,
                                  .ranges = intent_.ranges,
                                  .schema_version = intent_.schema_version};
    const Result<ObjectSummary> summary = writer_->Finish(metadata);
    if (!summary) return Error(summary.error());
    writer_.reset();
    LedgerEntry entry;
    entry.seq = intent_.seq;
    entry.decided_ms = intent_.decided_ms;
    entry.schema_version = intent_.schema_version;
    entry.ranges = intent_.ranges;
    entry.lost = intent_.lost;
    SLUICE_CHECK(summary->records == records_);
    entry.records = records_;
    entry.user_records = summary->user_records;
    entry.rows = summary->rows;
    entry.errors = errors_;
    entry.overflow_fields = summary->overflow_fields;
    entry.bytes_in = bytes_in_;
    const bool any_good = entry.user_records > errors_;
    if (any_good) entry.objects.push_back({intent_.data_key, false, summary->rows, data_->bytes(), data_->checksum()});
    if (errors_ > 0) entry.objects.push_back({intent_.error_key, true, errors_, error_->bytes(), error_->checksum()});
    const std::string& bucket = builder_.config_.bucket;
    if (any_good) {
      if (Status status = builder_.objects_.Put(bucket, intent_.data_key, std::move(data_)); !status.ok())
        return Error(status);
    }
    if (errors_ > 0) {
      if (Status status = builder_.objects_.Put(bucket, intent_.error_key, std::move(error_)); !status.ok())
        return Error(status);
    }
    return entry;
  }

 private:
  Status AppendOpened(std::span<const RecordRef> records) {
    Result<AppendOutcome> outcome = writer_->Append(records);
    if (!outcome) return outcome.error();
    if (outcome->overflow_fields > 0) builder_.Learn(records);
    for (const RecordError& error : outcome->errors) {
      SLUICE_CHECK(error.index < records.size());
      if (Status status = AppendError(records[error.index], error); !status.ok()) return status;
    }
    return Status();
  }

  Status AppendError(const RecordRef& record, const RecordError& error) {
    if (error_ == nullptr) {
      Result<std::unique_ptr<ObjectSpool>> spool =
          builder_.objects_.NewSpool(builder_.config_.bucket, builder_.config_.name + ".errors");
      if (!spool) return spool.error();
      error_ = std::move(*spool);
    }
    ++errors_;
    const ErrorContext context{.delivery_stream = builder_.config_.name,
                               .attempt_ms = intent_.decided_ms,
                               .schema_version = intent_.schema_version};
    const SourceShard* const shard = stream_.Find(record.shard);
    if (shard == nullptr) return Status(Code::kNotFound, fmt::format("shard {} is gone", record.shard.value));
    return error_->Write(ErrorRecordLine(context, record, shard->created_ms, {error.code, error.message}));
  }

  ObjectBuilder& builder_;
  const SourceStream& stream_;
  const Intent& intent_;
  AggregateOpener opener_;
  std::unique_ptr<ObjectSpool> data_;
  std::unique_ptr<ObjectSpool> error_;
  std::unique_ptr<ObjectWriter> writer_;  // writes to data_
  std::uint64_t records_ = 0;
  std::uint64_t errors_ = 0;
  std::uint64_t bytes_in_ = 0;
};

ObjectBuilder::ObjectBuilder(const DeliveryConfig& config, const Schema& schema, RecordSource& source,
                             ObjectStore& objects)
    : config_(config), schema_(schema), source_(source), objects_(objects) {}

void ObjectBuilder::Learn(std::span<const RecordRef> records) {
  if (!config_.infer_schema) return;
  std::vector<std::string_view> values;
  for (const RecordRef& record : records) values.push_back(record.value);
  Schema widened = WidenSchema(wanted_.value_or(schema_), values, InferenceRules());
  if (widened.columns != schema_.columns) wanted_ = std::move(widened);
}

Result<LedgerEntry> ObjectBuilder::Build(const Intent& intent) {
  const Result<SourceStream> stream = source_.Describe();
  if (!stream) return Error(stream.error());
  Output output(*this, *stream, intent);
  if (Status status = output.Open(); !status.ok()) return Error(std::move(status));
  std::uint64_t expected = 0;
  std::uint64_t read = 0;
  for (const SourceRange& range : intent.ranges) {
    expected += range.last - range.first + 1;
    for (Offset next = range.first; next <= range.last;) {
      const Result<ReadProgress> progress =
          source_.Read(range.shard, next, range.last + 1, kReadBytes,
                       [&](std::span<const RecordRef> records) { return output.Append(records); });
      if (!progress) return Error(progress.error());
      if (progress->given_up) {
        records_gone_ = true;
        return Error(Code::kFailedPrecondition,
                     fmt::format("the log has lost offsets {} to {} of shard {} since the delivery was decided",
                                 next.value, progress->next.value - 1, range.shard.value));
      }
      if (progress->next == next) {
        return Error(Code::kUnavailable,
                     fmt::format("shard {} does not yet have offset {} of the delivery that was decided",
                                 range.shard.value, next.value));
      }
      read += progress->records;
      next = progress->next;
    }
  }
  if (read != expected) {
    return Error(Code::kCorruption, fmt::format("the log gave {} records of a range of {}", read, expected));
  }
  return output.Finish();
}

}  // namespace sluice::delivery
