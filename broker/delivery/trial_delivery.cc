// A delivery stream's world in memory, for one run.
#include "broker/delivery/trial_delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include "broker/delivery/checksum.h"
#include "broker/delivery/config_change.h"
#include "broker/delivery/delivery_store.h"
#include "broker/delivery/delivery_stream.h"
#include "broker/delivery/object_store.h"
#include "broker/delivery/record_source.h"
#include "protocol/check.h"
#include "storage/metadata_store.h"

namespace sluice::delivery {
namespace {

constexpr ShardIndex kShard(0);
constexpr std::string_view kPartitionKey = "sample";

/// The records, in one shard that has nothing else.
class SampleSource final : public RecordSource {
 public:
  SampleSource(std::string stream, std::vector<std::string> records, std::int64_t now_ms)
      : stream_(std::move(stream)), records_(std::move(records)), now_ms_(now_ms) {}

  Result<SourceStream> Describe() override {
    return SourceStream{.id = StreamId(1), .name = stream_, .shards = {{.shard = kShard, .created_ms = now_ms_}}};
  }
  Result<Offset> Resolve(ShardIndex, const StartPosition&) override { return Offset(0); }

  Result<ReadProgress> Read(ShardIndex shard, Offset from, Offset to, std::uint64_t bytes_max,
                            const Visitor& visitor) override {
    ReadProgress progress = Progress(from);
    std::vector<RecordRef> refs;
    while (progress.next < std::min(progress.end, to) && progress.bytes < bytes_max) {
      const std::string& value = records_[progress.next.value];
      refs.push_back({value, kPartitionKey, shard, progress.next, now_ms_});
      progress.bytes += value.size();
      progress.next = progress.next + 1;
      ++progress.records;
    }
    if (refs.empty()) return progress;
    Status status = visitor(refs);
    return status.ok() ? Result<ReadProgress>(progress) : Error(std::move(status));
  }
  Result<ReadProgress> Bounds(ShardIndex) override { return Progress(Offset(records_.size())); }

 private:
  ReadProgress Progress(Offset next) const { return {next, Offset(0), Offset(records_.size())}; }

  const std::string stream_;
  const std::vector<std::string> records_;
  const std::int64_t now_ms_;
};

class MemorySpool final : public ObjectSpool {
 public:
  Status Write(std::string_view bytes) override {
    checksum_.Add(bytes);
    bytes_ += bytes;
    return Status();
  }
  std::uint64_t bytes() const override { return bytes_.size(); }
  std::uint64_t checksum() const override { return checksum_.value(); }
  std::string& text() { return bytes_; }

 private:
  std::string bytes_;
  Checksum checksum_;
};

/// Keeps what is put. Objects of dynamic partitioning are put by several threads.
class KeepingStore final : public ObjectStore {
 public:
  std::string Place(std::string_view bucket) override { return std::string(bucket); }
  Status CheckBucket(std::string_view) override { return Status(); }
  void ExpectBucket(std::string_view) override {}
  Result<std::unique_ptr<ObjectSpool>> NewSpool(std::string_view, std::string_view) override {
    return std::make_unique<MemorySpool>();
  }
  Status Put(std::string_view, std::string_view key, std::unique_ptr<ObjectSpool> spool) override {
    if (Status status = CheckObjectKey(key); !status.ok()) return status;
    const std::lock_guard lock(mutex_);
    objects_[std::string(key)] = std::move(static_cast<MemorySpool&>(*spool).text());
    return Status();
  }
  /// Nothing is replayed in a trial.
  Status Read(std::string_view, std::string_view key, const std::function<Status(std::string_view)>&) override {
    return Status(Code::kNotFound, fmt::format("there is no object '{}'", key));
  }
  Result<std::optional<std::uint64_t>> Size(std::string_view, std::string_view) override { return std::nullopt; }

  std::string Take(const std::string& key) {
    const std::lock_guard lock(mutex_);
    return std::move(objects_[key]);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> objects_;  // guarded by mutex_
};

/// A trial appends nothing: what fails is shown as objects.
std::string WithoutDeadLetterStream(const std::string& config_json) {
  Result<ParsedDeliveryConfig> parsed = ParseStoredDeliveryConfig(config_json);
  SLUICE_CHECK(parsed.has_value());  // the delivery stream delivers by it
  if (parsed->config.dead_letter_stream.empty()) return config_json;
  parsed->config.dead_letter_stream.clear();
  return DeliveryConfigToJson(parsed->config);
}

/// Stores the delivery stream as it is, or as a new one of `config`.
Status Begin(DeliveryStore& store, const DeliveryConfig& config, const TrialParts& parts) {
  Checkpoint checkpoint;
  checkpoint.shards.push_back({kShard, Offset(0), Offset(0)});
  DeliveryIdentity identity;
  if (parts.base) {
    identity = parts.base->identity;
    identity.paused = false;
    identity.config_json = WithoutDeadLetterStream(identity.config_json);
    return store.Create(identity, checkpoint, parts.base->schema);
  }
  identity.uid = fmt::format("{:016x}", parts.env.random().Next());
  identity.created_ms = parts.env.clock().WallMs();
  identity.config_json = DeliveryConfigToJson(config);
  return store.Create(identity, checkpoint, DeclaredSchema(config));
}

/// Steps until all is delivered.
Status Run(DeliveryStream& stream) {
  const std::uint64_t flush = stream.RequestFlush();
  while (!stream.flushed(flush)) {
    (void)stream.Step();  // what it would wait for is here already
    const DeliveryStatus status = stream.status();
    if (status.mode == DeliveryMode::kFailing || status.mode == DeliveryMode::kFenced)
      return Status(Code::kUnavailable, fmt::format("the sample cannot be delivered: {}", status.last_error));
  }
  return Status();
}

Result<TrialOutcome> OutcomeOf(DeliveryStream& stream, DeliveryStore& store, KeepingStore& objects) {
  TrialOutcome outcome{.totals = stream.status().checkpoint.totals, .schema = std::nullopt, .objects = {}};
  const Result<std::vector<LedgerEntry>> ledger = stream.Ledger();
  if (!ledger) return Error(ledger.error());
  for (const LedgerEntry& entry : *ledger) {
    for (const DeliveredObject& object : entry.objects) {
      if (!object.backup)  // which has the sample as it is
        outcome.objects.push_back({object.key, object.error, objects.Take(object.key)});
    }
  }
  if (ledger->empty() || ledger->back().schema_version == 0) return outcome;
  Result<Schema> schema = store.LoadSchema(ledger->back().schema_version);
  if (!schema) return Error(schema.error());
  outcome.schema = std::move(*schema);
  return outcome;
}

}  // namespace

Result<TrialOutcome> TryDelivery(DeliveryConfig config, std::vector<std::string> records, const TrialParts& parts) {
  SLUICE_CHECK(records.size() <= kTrialRecordsMax);
  config.dead_letter_stream.clear();
  const std::unique_ptr<storage::MetadataStore> metadata = storage::NewMemoryMetadataStore();
  DeliveryStore store(*metadata, config.name);
  if (Status status = Begin(store, config, parts); !status.ok()) return Error(std::move(status));
  KeepingStore objects;
  DeliveryStream stream(
      config.name, std::make_unique<SampleSource>(config.source_stream, std::move(records), parts.env.clock().WallMs()),
      {.metadata = *metadata,
       .objects = objects,
       .env = parts.env,
       .work_dir = parts.work_dir,
       .load_zone = parts.load_zone,
       .hold = [](StreamId, ShardIndex, Offset) {},
       .processors = parts.processors,
       .keys = parts.keys});
  Status status = stream.Open();
  if (status.ok() && parts.base) {
    const Result<ConfigChange> change = stream.Reconfigure(config);
    if (!change) status = change.error();
  }
  if (status.ok()) status = Run(stream);
  Result<TrialOutcome> outcome = status.ok() ? OutcomeOf(stream, store, objects) : Error(std::move(status));
  (void)stream.Remove();  // with what was set aside
  return outcome;
}

}  // namespace sluice::delivery
