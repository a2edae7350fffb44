// Setting aside, and writing object by object.
#include "broker/delivery/staged_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "broker/delivery/error_record.h"

namespace sluice::delivery {
namespace {

constexpr std::uint64_t kMemoryBytes = 32u << 20;
constexpr std::string_view kExtractionFailed = "DynamicPartitioning.MetadataExtractionFailed";
constexpr std::string_view kPartitionsExceeded = "DynamicPartitioning.ActivePartitionLimitExceeded";

const PartitionKey* FindKey(std::span<const PartitionKey> keys, std::string_view name) {
  const auto found = std::ranges::find(keys, name, &PartitionKey::name);
  return found == keys.end() ? nullptr : &*found;
}

}  // namespace

bool IsStaged(const DeliveryConfig& config) { return config.dynamic_partitioning || !IsRepeatable(config.processors); }

StagedOutput::StagedOutput(const ObjectParts& parts, const StagingParts& staging, DeliveryOutput* next,
                           std::size_t partitions_max)
    : parts_(parts),
      staging_(staging),
      next_(next),
      partitioned_(parts.terms.config.dynamic_partitioning),
      object_bytes_(partitioned_ ? parts.terms.config.size_mb << 20 : UINT64_MAX),
      partitions_max_(partitions_max),
      spill_(std::make_unique<RecordSpill>(staging.env, staging.keys, staging.path, kMemoryBytes)) {}

Result<bool> StagedOutput::Resume(SpillCounts& counts) {
  if (!parts_.intent.processed) return false;
  Result<std::unique_ptr<RecordSpill>> spill =
      RecordSpill::Reopen(staging_.env, staging_.keys, staging_.path, *parts_.intent.processed, counts);
  if (!spill) return Error(spill.error().WithContext("the processed records of a delivery that was begun"));
  spill_ = std::move(*spill);
  for (std::size_t i = 0; i < spill_->streams().size(); ++i) {
    const std::string& type = spill_->streams()[i].name.error_type;
    if (!type.empty()) errors_.emplace(type, i);
  }
  return true;
}

Status StagedOutput::Records(std::span<const RecordRef> records, std::span<const WorkRecord> work) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    const WorkRecord* const of = work.empty() ? nullptr : &work[i];
    const Result<bool> has_values = TakeValues(records[i], of);
    if (!has_values) return has_values.error();
    if (!*has_values) continue;
    if (Status status = Place(records[i], of); !status.ok()) return status;
  }
  return Status();
}

Result<bool> StagedOutput::TakeValues(const RecordRef& record, const WorkRecord* work) {
  values_.clear();
  name_.clear();
  if (!partitioned_) return true;
  for (const PartitionExpression& expression : parts_.terms.prefix.partition_keys()) {
    const bool query = expression.source == PartitionKeySource::kQuery;
    const PartitionKey* const key =
        work == nullptr ? nullptr : FindKey(query ? work->query_keys : work->lambda_keys, expression.name);
    if (key == nullptr || key->value.empty()) {
      Status status =
          FailRecord(record, work, kExtractionFailed,
                     fmt::format("partitionKeys values must not be null or empty: '{}' is", expression.name));
      return status.ok() ? Result<bool>(false) : Error(std::move(status));
    }
    values_.push_back(key->value);
    fmt::format_to(std::back_inserter(name_), "{}:", key->value.size());
    name_ += key->value;
  }
  return true;
}

Status StagedOutput::FailRecord(const RecordRef& record, const WorkRecord* work, std::string_view code,
                                std::string message) {
  RecordRef source = record;
  if (work != nullptr) source.value = work->source;
  return Failed({source, kProcessingFailed, std::string(code), std::move(message)});
}

Status StagedOutput::Place(const RecordRef& record, const WorkRecord* work) {
  auto found = partitions_.find(name_);
  if (found == partitions_.end()) {
    if (partitions_.size() >= partitions_max_) {
      ++over_partitions_max_;
      return FailRecord(record, work, kPartitionsExceeded,
                        fmt::format("one delivery has at most {} partitions", partitions_max_));
    }
    found = partitions_.emplace(name_, NewPartition(record)).first;
  }
  Partition& partition = found->second;
  if (!partition.problem.empty()) return FailRecord(record, work, kExtractionFailed, partition.problem);
  const SpillStream& stream = spill_->streams()[partition.stream];
  if (stream.bytes >= object_bytes_) {
    SpillName next = stream.name;
    ++next.part;
    partition.stream = spill_->NewStream(std::move(next));
  }
  return spill_->Append(partition.stream, record, work == nullptr ? record.value : work->source);
}

StagedOutput::Partition StagedOutput::NewPartition(const RecordRef& record) {
  SpillName name{.error_type = "", .values = {values_.begin(), values_.end()}, .part = 0};
  if (partitioned_) {
    const std::string key = PartitionObjectKey(parts_.terms, parts_.intent, name, record.append_time_ms);
    const std::size_t length = key.rfind('/') == key.npos ? 0 : key.rfind('/') + 1;
    if (length > kPrefixEvaluatedLengthMax) {
      return {0, fmt::format("the evaluated prefix has {} characters, at most {} are allowed", length,
                             kPrefixEvaluatedLengthMax)};
    }
    if (const Status status = CheckObjectKey(key); !status.ok()) return {0, status.message()};
  }
  return {spill_->NewStream(std::move(name)), ""};
}

Status StagedOutput::Failed(const ProcessingFailure& failure) {
  const Result<std::string> line = parts_.errors.LineOf(failure);
  if (!line) return line.error();
  auto found = errors_.find(failure.error_type);
  if (found == errors_.end()) {
    const std::size_t stream = spill_->NewStream({.error_type = std::string(failure.error_type), .values = {}});
    found = errors_.emplace(failure.error_type, stream).first;
  }
  RecordRef record = failure.record;
  record.value = *line;
  return spill_->Append(found->second, record, *line);
}

std::string StagedOutput::KeyOf(const SpillStream& stream) const {
  if (!stream.name.error_type.empty()) return ErrorKey(parts_.terms, parts_.intent, stream.name.error_type);
  if (!partitioned_) return parts_.intent.data_key;
  return PartitionObjectKey(parts_.terms, parts_.intent, stream.name, stream.oldest_ms);
}

Status StagedOutput::Stage(bool seal, const SpillCounts& counts) {
  std::set<std::string> keys(parts_.intent.other_keys.begin(), parts_.intent.other_keys.end());
  for (const SpillStream& stream : spill_->streams()) {
    if (std::string key = KeyOf(stream); !key.empty()) keys.insert(std::move(key));
  }
  std::optional<SpillSeal> processed;
  if (seal) {
    const Result<SpillSeal> sealed = spill_->Seal(counts);
    if (!sealed) return sealed.error();
    processed = *sealed;
  }
  return staging_.change_intent([&](Intent& intent) {
    intent.other_keys.assign(keys.begin(), keys.end());
    if (processed) intent.processed = processed;
  });
}

Status StagedOutput::Finish(LedgerEntry& entry) {
  if (Status status = next_ != nullptr ? HandOn() : WriteObjects(entry); !status.ok()) return status;
  for (const auto& [type, stream] : errors_) {
    if (Status status = AddErrors(stream); !status.ok()) return status;
  }
  return next_ != nullptr ? next_->Finish(entry) : parts_.errors.Finish(entry);
}

Status StagedOutput::HandOn() {
  for (std::size_t i = 0; i < spill_->streams().size(); ++i) {
    if (!spill_->streams()[i].name.error_type.empty()) continue;
    Status status = spill_->Read(i, [this](std::span<const RecordRef> records, std::span<const WorkRecord> work) {
      return next_->Records(records, work);
    });
    if (!status.ok()) return status;
  }
  return Status();
}

std::uint64_t StagedOutput::partitions() const {
  if (!partitioned_) return 0;
  return static_cast<std::uint64_t>(std::ranges::count_if(spill_->streams(), [](const SpillStream& stream) {
    return stream.name.error_type.empty() && stream.name.part == 0;
  }));
}

std::uint64_t StagedOutput::partition_bytes_max() const {
  if (!partitioned_) return 0;
  const auto by_values = [](const auto* left, const auto* right) { return *left < *right; };
  std::map<const std::vector<std::string>*, std::uint64_t, decltype(by_values)> bytes;
  std::uint64_t most = 0;
  for (const SpillStream& stream : spill_->streams()) {
    if (stream.name.error_type.empty()) most = std::max(most, bytes[&stream.name.values] += stream.bytes);
  }
  return most;
}

Status StagedOutput::WriteObjects(LedgerEntry& entry) {
  ConcurrentPuts puts(parts_.objects, parts_.terms.config.bucket);
  for (std::size_t i = 0; i < spill_->streams().size(); ++i) {
    if (!spill_->streams()[i].name.error_type.empty()) continue;
    if (Status status = WriteObject(i, puts, entry); !status.ok()) return status;
  }
  return puts.Wait();
}

Status StagedOutput::WriteObject(std::size_t stream, ConcurrentPuts& puts, LedgerEntry& entry) {
  const Result<std::size_t> slot = puts.Reserve();
  if (!slot) return slot.error();
  DataObject object(parts_, KeyOf(spill_->streams()[stream]),
                    fmt::format("{}.data.{}", parts_.terms.config.name, *slot));
  if (Status status = object.Open(); !status.ok()) return status;
  Status status = spill_->Read(stream, [&](std::span<const RecordRef> records, std::span<const WorkRecord> work) {
    return object.Append(records, work);
  });
  if (!status.ok()) return status;
  Result<std::unique_ptr<ObjectSpool>> spool = object.Close(entry);
  if (!spool) return spool.error();
  puts.Put(*slot, object.key(), std::move(*spool));
  return Status();
}

Status StagedOutput::AddErrors(std::size_t stream) {
  const std::string& type = spill_->streams()[stream].name.error_type;
  return spill_->Read(stream, [&](std::span<const RecordRef> lines, std::span<const WorkRecord>) {
    Status status;
    for (const RecordRef& line : lines) {
      if (status.ok()) status = parts_.errors.AddLine(type, line);
    }
    return status;
  });
}

}  // namespace sluice::delivery
