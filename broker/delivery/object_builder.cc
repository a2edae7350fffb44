// From the records of an intent to its objects.
#include "broker/delivery/object_builder.h"

#include <fmt/format.h>

#include "broker/delivery/data_output.h"
#include "broker/delivery/error_output.h"
#include "broker/delivery/processing/record_pipeline.h"

namespace sluice::delivery {
namespace {

constexpr std::uint64_t kReadBytes = 4u << 20;

}  // namespace

/// Data and error objects while they are written.
class ObjectBuilder::Output : public RecordPipeline::Sink {
 public:
  Output(ObjectBuilder& builder, const SourceStream& stream, const Intent& intent)
      : intent_(intent),
        errors_(builder.terms_, intent, stream, builder.objects_),
        parts_{.terms = builder.terms_,
               .intent = intent,
               .schema = builder.schema_,
               .stream = stream,
               .objects = builder.objects_,
               .errors = errors_,
               .learn = [&builder](std::span<const RecordRef> records) { builder.Learn(records); }},
        data_(parts_, intent.data_key),
        pipeline_(builder.terms_.config, *this) {}

  Status Open() { return data_.Open(); }

  /// Records as they are in the log.
  Status Append(std::span<const RecordRef> records) {
    records_ += records.size();
    for (const RecordRef& record : records) bytes_in_ += record.value.size();
    return pipeline_.Append(records);
  }
  Status Records(std::span<const RecordRef> records, std::span<const WorkRecord> work) override {
    return data_.Append(records, work);
  }
  Status Failed(const ProcessingFailure& failure) override { return errors_.Add(failure); }

  Result<LedgerEntry> Finish() {
    if (Status status = pipeline_.Finish(); !status.ok()) return Error(std::move(status));
    LedgerEntry entry;
    entry.seq = intent_.seq;
    entry.decided_ms = intent_.decided_ms;
    entry.schema_version = intent_.schema_version;
    entry.ranges = intent_.ranges;
    entry.lost = intent_.lost;
    entry.records = records_;
    entry.user_records = pipeline_.user_records();
    entry.filtered = pipeline_.filtered();
    entry.bytes_in = bytes_in_;
    if (Status status = data_.Finish(entry); !status.ok()) return Error(std::move(status));
    if (Status status = errors_.Finish(entry); !status.ok()) return Error(std::move(status));
    return entry;
  }
  std::uint64_t records() const { return records_; }

 private:
  const Intent& intent_;
  ErrorOutput errors_;
  const ObjectParts parts_;
  DataObject data_;
  RecordPipeline pipeline_;
  std::uint64_t records_ = 0;
  std::uint64_t bytes_in_ = 0;
};

ObjectBuilder::ObjectBuilder(const DeliveryTerms& terms, const Schema& schema, RecordSource& source,
                             ObjectStore& objects)
    : terms_(terms), schema_(schema), source_(source), objects_(objects) {}

void ObjectBuilder::Learn(std::span<const RecordRef> records) {
  if (!terms_.config.infer_schema) return;
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
  for (const SourceRange& range : intent.ranges) {
    expected += range.last - range.first + 1;
    if (Status status = ReadRange(range, output); !status.ok()) return Error(std::move(status));
  }
  if (output.records() != expected) {
    return Error(Code::kCorruption,
                 fmt::format("the log gave {} records of a range of {}", output.records(), expected));
  }
  return output.Finish();
}

Status ObjectBuilder::ReadRange(const SourceRange& range, Output& output) {
  for (Offset next = range.first; next <= range.last;) {
    const Result<ReadProgress> progress =
        source_.Read(range.shard, next, range.last + 1, kReadBytes,
                     [&](std::span<const RecordRef> records) { return output.Append(records); });
    if (!progress) return progress.error();
    if (progress->given_up) {
      records_gone_ = true;
      return Status(Code::kFailedPrecondition,
                    fmt::format("the log has lost offsets {} to {} of shard {} since the delivery was decided",
                                next.value, progress->next.value - 1, range.shard.value));
    }
    if (progress->next == next) {
      return Status(Code::kUnavailable, fmt::format("shard {} does not yet have offset {} of the delivery that was "
                                                    "decided",
                                                    range.shard.value, next.value));
    }
    next = progress->next;
  }
  return Status();
}

}  // namespace sluice::delivery
