// Error objects, written beside the data.
#include "broker/delivery/error_output.h"

#include <fmt/format.h>

#include "broker/delivery/error_record.h"

namespace sluice::delivery {

ErrorOutput::ErrorOutput(const DeliveryTerms& terms, const Intent& intent, const SourceStream& stream,
                         ObjectStore& objects, DeadLetterOutput* dead_letters)
    : terms_(terms), intent_(intent), stream_(stream), objects_(objects), dead_letters_(dead_letters) {}

Result<ErrorOutput::Object*> ErrorOutput::ObjectOf(std::string_view error_type) {
  Object& object = by_type_[std::string(error_type)];
  if (object.spool == nullptr) {
    const DeliveryConfig& config = terms_.config;
    Result<std::unique_ptr<ObjectSpool>> spool =
        objects_.NewSpool(config.bucket, fmt::format("{}.{}", config.name, error_type));
    if (!spool) return Error(spool.error());
    object.spool = std::move(*spool);
  }
  return &object;
}

Result<std::string> ErrorOutput::LineOf(const ProcessingFailure& failure) const {
  const ShardIndex index = failure.record.shard;
  const SourceShard* const shard = stream_.Find(index);
  if (shard == nullptr) return Error(Code::kNotFound, fmt::format("shard {} is gone", index.value));
  const ErrorContext context{.delivery_stream = terms_.config.name,
                             .attempt_ms = intent_.decided_ms,
                             .schema_version = intent_.schema_version,
                             .shard_created_ms = shard->created_ms,
                             .table = terms_.config.catalog_table ? &*terms_.config.catalog_table : nullptr};
  return ErrorRecordLine(context, failure);
}

Status ErrorOutput::Add(const ProcessingFailure& failure) {
  const Result<std::string> line = LineOf(failure);
  if (!line) return line.error();
  RecordRef record = failure.record;
  record.value = *line;
  return AddLine(failure.error_type, record);
}

Status ErrorOutput::AddLine(std::string_view error_type, const RecordRef& line) {
  ++records_;
  ++counts_[std::string(error_type)];
  if (dead_letters_ != nullptr && dead_letters_->Fits(error_type, line)) return dead_letters_->Add(error_type, line);
  const Result<Object*> object = ObjectOf(error_type);
  if (!object) return object.error();
  ++(*object)->records;
  return (*object)->spool->Write(line.value);
}

Status ErrorOutput::Finish(LedgerEntry& entry) {
  entry.errors = records_;
  for (auto& [type, object] : by_type_) {
    const std::string key = ErrorKey(terms_, intent_, type);
    entry.objects.push_back({key, true, object.records, object.spool->bytes(), object.spool->checksum()});
    if (Status status = objects_.Put(terms_.config.bucket, key, std::move(object.spool)); !status.ok()) return status;
  }
  by_type_.clear();
  return Status();
}

}  // namespace sluice::delivery
