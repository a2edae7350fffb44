// From the records of an intent to its objects.
#include "broker/delivery/object_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/delivery/data_output.h"
#include "broker/delivery/endpoints/request_output.h"
#include "broker/delivery/error_output.h"
#include "broker/delivery/processing/record_pipeline.h"
#include "broker/delivery/redshift/redshift_load.h"
#include "broker/delivery/replay_reader.h"

namespace sluice::delivery {
namespace {

constexpr std::uint64_t kReadBytes = 4u << 20;

/// In which the records of a delivery have come; at least one.
double SecondsOf(const Intent& intent) {
  return std::max(1.0, static_cast<double>(intent.decided_ms - intent.time_ms) / 1000.0);
}

}  // namespace

ObjectBuilder::ObjectBuilder(const DeliveryTerms& terms, const Schema& schema, ProcessorHost& host,
                             ObjectStore& objects, StagingParts staging)
    : terms_(terms),
      schema_(schema),
      host_(host),
      source_(host.source),
      objects_(objects),
      staging_(std::move(staging)) {}

void ObjectBuilder::Learn(std::span<const RecordRef> records) {
  if (!terms_.config.infer_schema) return;
  std::vector<std::string_view> values;
  for (const RecordRef& record : records) values.push_back(record.value);
  Schema widened = WidenSchema(wanted_.value_or(schema_), values, InferenceRules());
  if (widened.columns != schema_.columns) wanted_ = std::move(widened);
}

Result<LedgerEntry> ObjectBuilder::Build(const Intent& intent) {
  return terms_.config.redshift ? BuildAndLoad(intent) : BuildObjects(intent);
}

/// While a load is tried, its objects are not made again.
Result<LedgerEntry> ObjectBuilder::BuildAndLoad(const Intent& intent) {
  LoadProgress& progress = host_.load;
  std::string delivery = RequestId(intent, 0);
  if (progress.delivery != delivery) progress = {.delivery = std::move(delivery)};
  if (!progress.built) {
    Result<LedgerEntry> entry = BuildObjects(intent);
    if (!entry) return entry;
    progress.built = std::move(*entry);
    progress.counts = counts_;
  }
  counts_ = progress.counts;
  LedgerEntry entry = *progress.built;
  Status status = RedshiftLoad(terms_, intent, staging_, host_, objects_).Run(entry);
  return status.ok() ? Result<LedgerEntry>(std::move(entry)) : Error(std::move(status));
}

Result<LedgerEntry> ObjectBuilder::BuildObjects(const Intent& intent) {
  Result<SourceStream> stream = source_.Describe();
  if (!stream) return Error(stream.error());
  std::optional<DeadLetterOutput> dead_letters;
  if (intent.dead_letter_bytes_max > 0) dead_letters.emplace(terms_, intent, staging_, host_);
  ErrorOutput errors(terms_, intent, *stream, objects_, dead_letters ? &*dead_letters : nullptr);
  const ObjectParts parts{.terms = terms_,
                          .intent = intent,
                          .schema = schema_,
                          .stream = *stream,
                          .objects = objects_,
                          .errors = errors,
                          .learn = [this](std::span<const RecordRef> records) { Learn(records); }};
  LedgerEntry entry;
  entry.seq = intent.seq;
  entry.decided_ms = intent.decided_ms;
  entry.schema_version = intent.schema_version;
  entry.ranges = intent.ranges;
  entry.lost = intent.lost;
  entry.replays = intent.replays;
  entry.bucket = terms_.config.bucket;
  if (terms_.config.backup) entry.backup_bucket = terms_.config.backup->bucket;
  const Result<SpillCounts> counts = IsStaged(terms_.config) ? WriteStaged(parts, entry) : WriteDirectly(parts, entry);
  if (!counts) return Error(counts.error());
  if (dead_letters) {
    if (Status status = dead_letters->Finish(entry); !status.ok()) return Error(std::move(status));
  }
  counts_.errors = errors.counts();
  entry.records = counts->records;
  entry.user_records = counts->user_records;
  entry.filtered = counts->filtered;
  entry.bytes_in = counts->bytes_in;
  return entry;
}

std::unique_ptr<DeliveryOutput> ObjectBuilder::NewOutput(const ObjectParts& parts) {
  if (terms_.config.endpoint.exists()) return std::make_unique<RequestOutput>(parts, staging_, host_);
  return std::make_unique<DirectOutput>(parts);
}

Result<SpillCounts> ObjectBuilder::WriteDirectly(const ObjectParts& parts, LedgerEntry& entry) {
  const std::unique_ptr<DeliveryOutput> output = NewOutput(parts);
  BackupOutput backup(parts);
  SpillCounts counts;
  Status status = output->Open();
  if (status.ok()) status = ReadAll(parts, *output, backup, counts);
  if (status.ok()) status = output->Finish(entry);
  if (status.ok()) status = backup.Finish(entry);
  return status.ok() ? Result<SpillCounts>(counts) : Error(std::move(status));
}

Result<SpillCounts> ObjectBuilder::WriteStaged(const ObjectParts& parts, LedgerEntry& entry) {
  const std::unique_ptr<DeliveryOutput> requests = terms_.config.endpoint.exists() ? NewOutput(parts) : nullptr;
  StagedOutput output(parts, staging_, requests.get());
  BackupOutput backup(parts);
  SpillCounts counts;
  const Result<bool> resumed = output.Resume(counts);
  if (!resumed) return Error(resumed.error());
  Status status = output.Open();
  if (status.ok() && *resumed) {
    status = BackUp(parts.intent, backup);
  } else if (status.ok()) {
    status = ReadAll(parts, output, backup, counts);
    if (status.ok()) status = output.Stage(!IsRepeatable(terms_.config.processors), counts);
  }
  if (status.ok()) status = output.Finish(entry);
  counts_.partitions = output.partitions();
  counts_.over_partitions_max = output.over_partitions_max();
  counts_.partition_bytes_per_s = static_cast<double>(output.partition_bytes_max()) / SecondsOf(parts.intent);
  if (status.ok()) status = backup.Finish(entry);
  return status.ok() ? Result<SpillCounts>(counts) : Error(std::move(status));
}

Status ObjectBuilder::ReadAll(const ObjectParts& parts, RecordPipeline::Sink& sink, BackupOutput& backup,
                              SpillCounts& counts) {
  if (!parts.intent.replays.empty()) return Replay(parts, sink, counts);
  RecordPipeline pipeline(terms_.config, host_, sink);
  const auto append = [&](std::span<const RecordRef> records) {
    counts.records += records.size();
    for (const RecordRef& record : records) counts.bytes_in += record.value.size();
    if (Status status = backup.Append(records); !status.ok()) return status;
    return pipeline.Append(records);
  };
  if (Status status = ReadRanges(parts.intent, append); !status.ok()) return status;
  if (Status status = pipeline.Finish(); !status.ok()) return status;
  counts.user_records = pipeline.user_records();
  counts.filtered = pipeline.filtered();
  return Status();
}

Status ObjectBuilder::Replay(const ObjectParts& parts, RecordPipeline::Sink& sink, SpillCounts& counts) {
  ErrorReader errors(objects_, terms_.config.bucket, staging_.appender);
  ReplayReader reader(terms_.config, host_, errors, sink);
  Status status = reader.Read(parts.intent.replays, parts.stream, counts);
  records_gone_ = AreGone(status);
  return status;
}

/// What was processed before a crash is not processed again, but its backup is written again.
Status ObjectBuilder::BackUp(const Intent& intent, BackupOutput& backup) {
  if (!backup.wanted()) return Status();
  return ReadRanges(intent, [&](std::span<const RecordRef> records) { return backup.Append(records); });
}

Status ObjectBuilder::ReadRanges(const Intent& intent, const RecordSource::Visitor& visitor) {
  std::uint64_t expected = 0;
  std::uint64_t given = 0;
  const auto count = [&](std::span<const RecordRef> records) {
    given += records.size();
    return visitor(records);
  };
  for (const SourceRange& range : intent.ranges) {
    expected += range.last - range.first + 1;
    if (Status status = ReadRange(range, count); !status.ok()) return status;
  }
  if (given == expected) return Status();
  return Status(Code::kCorruption, fmt::format("the log gave {} records of a range of {}", given, expected));
}

Status ObjectBuilder::ReadRange(const SourceRange& range, const RecordSource::Visitor& visitor) {
  for (Offset next = range.first; next <= range.last;) {
    const Result<ReadProgress> progress = source_.Read(range.shard, next, range.last + 1, kReadBytes, visitor);
    if (!progress) return progress.error();
    if (progress->given_up) {
      records_gone_ = true;
      return Status(Code::kFailedPrecondition,
                    fmt::format("the log has lost offsets {} to {} of shard {} since the delivery was decided",
                                next.value, progress->next.value - 1, range.shard.value));
    }
    if (progress->next == next) {
      return Status(Code::kUnavailable,
                    fmt::format("shard {} does not yet have offset {} of the delivery that was decided",
                                range.shard.value, next.value));
    }
    next = progress->next;
  }
  return Status();
}

}  // namespace sluice::delivery
