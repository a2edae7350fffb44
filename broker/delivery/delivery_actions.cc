// What users ask of delivery streams: DeliveryManager::Handle and its actions.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "broker/delivery/config_change.h"
#include "broker/delivery/delivery_answers.h"
#include "broker/delivery/delivery_manager.h"
#include "broker/delivery/endpoints/endpoint_registry.h"
#include "broker/delivery/http_client.h"
#include "broker/delivery/ledger_document.h"
#include "broker/delivery/log_record_source.h"
#include "broker/delivery/redshift/redshift_load.h"
#include "broker/delivery/table_files.h"
#include "broker/log.h"

namespace sluice::delivery {
namespace {

constexpr std::int64_t kFlushWaitMs = 2000;  // of one call: others wait behind it, and who called wants to hear
constexpr std::uint32_t kDirectPutShards = 4;
constexpr std::int64_t kDirectPutRetentionMs = 24ll * 3600 * 1000;  // as Firehose keeps what it could not deliver

}  // namespace

Result<DeliveryAnswer> DeliveryManager::Handle(DeliveryAction action, std::string_view name, std::string_view document,
                                               std::string_view document_name) {
  const std::lock_guard lock(control_mutex_);
  switch (action) {
    case DeliveryAction::kCreate:
      return Create(document, document_name);
    case DeliveryAction::kCheck:
      return Check(document, document_name, std::nullopt);
    case DeliveryAction::kTry:
      return Try(document, document_name);
    case DeliveryAction::kList:
      return List();
    case DeliveryAction::kDescribe:
      return Describe(name);
    case DeliveryAction::kPause:
      return Pause(name, true);
    case DeliveryAction::kResume:
      return Pause(name, false);
    case DeliveryAction::kFlush:
      return Flush(name, document);
    case DeliveryAction::kDelete:
      return Delete(name);
    case DeliveryAction::kLedger:
      return Ledger(name, document);
    case DeliveryAction::kErrors:
      return Errors(name, document);
    case DeliveryAction::kReplay:
      return Replay(name, document);
  }
  return Error(Code::kInvalidArgument, "unknown delivery action");
}

Result<ParsedDeliveryConfig> DeliveryManager::ParseAndCheck(std::string_view document, std::string_view document_name) {
  Result<ParsedDeliveryConfig> parsed = ParseDeliveryConfig(document, document_name, tables());
  if (!parsed) return parsed;
  Status table = ReadTable(parsed->config, document_name, options_.tables_dir,
                           [this](const std::string& path) { return ReadFile(path); });
  if (!table.ok()) return Error(std::move(table));
  Status runs = CheckProcessors(parsed->config.processors, MakeProcessorSettings());
  if (runs.ok()) runs = CheckDestination(parsed->config);
  if (!runs.ok()) return Error(document_name.empty() ? std::move(runs) : runs.WithContext(document_name));
  if (const Result<std::string> key = ExampleKey(parsed->config); !key) return Error(key.error());
  if (const Result<std::string> copy = ExampleCopy(parsed->config); !copy) return Error(copy.error());
  if (std::string warning = StagingWarning(parsed->config); !warning.empty()) parsed->warnings.push_back(warning);
  const std::optional<Schema> declared = DeclaredSchema(parsed->config);
  Status converts = CheckConversion(parsed->config, declared);
  if (!converts.ok()) return Error(converts.WithContext(document_name));
  if (declared) {
    for (std::string& warning : BloomFilterWarnings(parsed->config, *declared)) parsed->warnings.push_back(warning);
    for (std::string& warning : MappingWarnings(parsed->config, *declared)) parsed->warnings.push_back(warning);
  }
  return parsed;
}

Status DeliveryManager::CheckDestination(const DeliveryConfig& config) const {
  const ProcessorSettings settings = MakeProcessorSettings();
  Status status = CheckEndpoint(config.endpoint, settings);
  if (!status.ok()) return Status(Code::kInvalidArgument, status.message());
  if (const Result<std::string> key = AccessKeyOf(config.endpoint, settings); !key) status = key.error();
  if (config.redshift) {
    if (const Result<ClusterUser> user = ClusterUserOf(*config.redshift, settings); !user) status = user.error();
  }
  return status.ok() ? status
                     : Status(Code::kInvalidArgument, status.WithContext("SecretsManagerConfiguration").message());
}

Result<DeliveryAnswer> DeliveryManager::Check(std::string_view document, std::string_view document_name,
                                              const std::optional<std::vector<std::string>>& records) {
  Result<ParsedDeliveryConfig> parsed = ParseAndCheck(document, document_name);
  if (!parsed) return Error(parsed.error());
  std::vector<std::string>& warnings = parsed->warnings;
  if (!parsed->config.direct_put) {
    if (const auto source = SourceOf(parsed->config); !source) warnings.push_back(source.error().message());
  }
  if (Status status = CheckDeadLetterStream(parsed->config, ""); status.code() == Code::kNotFound) {
    warnings.push_back(status.message());
  } else if (!status.ok()) {
    return Error(std::move(status));
  }
  std::optional<std::vector<std::string>> changes;
  if (const Result<StreamPtr> stream = FindStream(parsed->config.name)) {
    Result<ConfigChange> change = ConfigChange();
    Between(**stream, [&] { change = (*stream)->Compare(parsed->config); });
    if (!change) return Error(change.error());
    if (!change->refused.empty()) return Error(RefusedChange(parsed->config.name, *change));
    warnings.insert(warnings.end(), change->warnings.begin(), change->warnings.end());
    changes = std::move(change->keys);
  }
  const Result<std::string> key = ExampleKey(parsed->config);
  if (!key) return Error(key.error());
  std::optional<TrialOutcome> outcome;
  if (records) {
    Result<TrialOutcome> tried = TryRecords(parsed->config, *records);
    if (!tried) return Error(tried.error());
    outcome = std::move(*tried);
  }
  const Result<std::string> copy = ExampleCopy(parsed->config);
  if (!copy) return Error(copy.error());
  return DeliveryAnswer{CheckJson(parsed->config, *key, *copy, changes, outcome), std::move(warnings)};
}

/// Of a delivery stream that exists already: makes it what the document says.
Result<DeliveryAnswer> DeliveryManager::Create(std::string_view document, std::string_view document_name) {
  const Result<ParsedDeliveryConfig> parsed = ParseAndCheck(document, document_name);
  if (!parsed) return Error(parsed.error());
  const Result<StreamPtr> existing = FindStream(parsed->config.name);
  return existing ? Change(*existing, *parsed) : Make(*parsed);
}

Result<DeliveryAnswer> DeliveryManager::Make(const ParsedDeliveryConfig& parsed) {
  const DeliveryConfig& config = parsed.config;
  const Result<StreamPtr> stream = MakeStream(config, "");
  if (!stream) return Error(stream.error());
  DeliveryAnswer answer{DescribeJson(**stream, parts_.env.clock().WallMs()), parsed.warnings};
  for (std::string& problem : BucketProblems(config)) answer.warnings.push_back(std::move(problem));
  return answer;
}

Result<DeliveryManager::StreamPtr> DeliveryManager::MakeStream(const DeliveryConfig& config, const std::string& given) {
  if (Status status = CheckDeadLetterStream(config, ""); !status.ok()) return Error(std::move(status));
  const Result<broker::StreamPtr> source = SourceOf(config);
  if (!source) return Error(source.error());
  if (Status status = Store(config, (*source)->id, given); !status.ok()) return Error(std::move(status));
  Result<StreamPtr> stream = LoadOne(config.name);
  if (!stream) return stream;
  BeginWork(*stream);
  broker::log::Info("delivery stream created", {{"delivery_stream", config.name}, {"source", config.source_stream}});
  return stream;
}

Result<DeliveryAnswer> DeliveryManager::Change(const StreamPtr& stream, const ParsedDeliveryConfig& parsed) {
  const std::string before = stream->config()->dead_letter_stream;
  if (Status status = CheckDeadLetterStream(parsed.config, before); !status.ok()) return Error(std::move(status));
  Result<ConfigChange> change = ConfigChange();
  Between(*stream, [&] { change = stream->Reconfigure(parsed.config); });
  if (!change) return Error(change.error());
  DeliveryAnswer answer{
      DescribeJson(*stream, parts_.env.clock().WallMs(), {.changes = change->keys, .flush = std::nullopt}), {}};
  if (change->keys.empty()) return answer;
  answer.warnings = parsed.warnings;
  answer.warnings.insert(answer.warnings.end(), change->warnings.begin(), change->warnings.end());
  LogChange(*stream, *change);
  return answer;
}

/// Says that another configuration is in force.
void DeliveryManager::LogChange(const DeliveryStream& stream, const ConfigChange& change) {
  broker::log::Info("delivery stream's configuration changed; it counts from the next delivery on",
                    {{"delivery_stream", stream.name()},
                     {"version", stream.identity().version},
                     {"keys", fmt::format("{}", fmt::join(change.keys, " "))}});
}

/// The positions are resolved now: "latest" is the moment of creation.
Status DeliveryManager::Store(const DeliveryConfig& config, StreamId source, const std::string& given) {
  const std::unique_ptr<RecordSource> records = NewLogRecordSource(parts_.reads, parts_.catalog, source, stopping_);
  const Result<SourceStream> stream = records->Describe();
  if (!stream) return stream.error();
  Checkpoint checkpoint;
  for (const SourceShard& shard : stream->shards) {
    const Result<Offset> start = records->Resolve(shard.shard, config.start);
    if (!start) return start.error().WithContext(fmt::format("start position of shard {}", shard.shard.value));
    checkpoint.shards.push_back({shard.shard, *start, *start});
  }
  DeliveryIdentity identity;
  const std::uint64_t high = parts_.env.random().Next();
  identity.uid = fmt::format("{:016x}{:016x}", high, parts_.env.random().Next());
  identity.source = source;
  identity.created_ms = parts_.env.clock().WallMs();
  identity.config_json = DeliveryConfigToJson(config);
  identity.given = given;
  return DeliveryStore(parts_.metadata, config.name).Create(identity, checkpoint, DeclaredSchema(config));
}

Result<broker::StreamPtr> DeliveryManager::SourceOf(const DeliveryConfig& config) {
  Result<broker::StreamPtr> found = parts_.catalog.Find(config.source_stream);
  if (found || !config.direct_put || found.error().code() != Code::kNotFound) return found;
  broker::RetentionSettings retention;
  retention.age_ms = kDirectPutRetentionMs;
  return parts_.catalog.Create(config.source_stream, kDirectPutShards, retention, true);
}

Result<DeliveryAnswer> DeliveryManager::List() {
  std::vector<StreamPtr> held;
  {
    const std::lock_guard lock(streams_mutex_);
    for (const auto& [name, stream] : streams_) held.push_back(stream);
  }
  std::vector<const DeliveryStream*> streams;
  for (const StreamPtr& stream : held) streams.push_back(stream.get());
  return DeliveryAnswer{ListJson(streams, parts_.env.clock().WallMs()), {}};
}

Result<DeliveryAnswer> DeliveryManager::Describe(std::string_view name) {
  const Result<StreamPtr> stream = FindStream(name);
  if (!stream) return Error(stream.error());
  return DeliveryAnswer{DescribeJson(**stream, parts_.env.clock().WallMs()), {}};
}

Result<DeliveryAnswer> DeliveryManager::Pause(std::string_view name, bool paused) {
  const Result<StreamPtr> stream = FindStream(name);
  if (!stream) return Error(stream.error());
  Status status;
  Between(**stream, [&] { status = (*stream)->SetPaused(paused); });
  if (!status.ok()) return Error(std::move(status));
  broker::log::Info(paused ? "delivery stream paused" : "delivery stream resumed", {{"delivery_stream", name}});
  return Describe(name);
}

/// `earlier` is the number of a flush that was not done when its call ended.
Result<DeliveryAnswer> DeliveryManager::Flush(std::string_view name, std::string_view earlier) {
  const Result<StreamPtr> stream = FindStream(name);
  if (!stream) return Error(stream.error());
  if ((*stream)->status().mode == DeliveryMode::kPaused) {
    return Error(Code::kFailedPrecondition, fmt::format("delivery stream '{}' is paused; resume it first", name));
  }
  if (const DeliveryStatus status = (*stream)->status(); status.mode == DeliveryMode::kFenced) {
    return Error(Code::kFenced, status.last_error);
  }
  std::uint64_t number = 0;
  std::from_chars(earlier.data(), earlier.data() + earlier.size(), number);
  if (!(*stream)->KnowsFlush(number)) number = (*stream)->RequestFlush();
  const std::uint64_t failures = (*stream)->status().failures;
  workers_.Wake(name);
  const auto over = [&] { return (*stream)->flushed(number) || (*stream)->status().failures > failures; };
  workers_.WaitUntil(over, kFlushWaitMs);
  const DeliveryStatus status = (*stream)->status();
  if (!(*stream)->flushed(number) && status.failures > failures)
    return Error(Code::kUnavailable, fmt::format("delivery fails and is tried again: {}", status.last_error));
  return DeliveryAnswer{DescribeJson(**stream, parts_.env.clock().WallMs(), {.changes = std::nullopt, .flush = number}),
                        {}};
}

Result<DeliveryAnswer> DeliveryManager::Delete(std::string_view name) {
  const Result<StreamPtr> stream = FindStream(name);
  if (!stream) return Error(stream.error());
  if (Status status = Remove(*stream, Undelivered::kRefuse); !status.ok()) return Error(std::move(status));
  protocol::JsonWriter json;
  json.BeginObject().Key("name").String(name).Key("deleted").Bool(true).EndObject();
  return DeliveryAnswer{json.text(), {}};
}

Status DeliveryManager::Remove(const StreamPtr& stream, Undelivered undelivered) {
  const std::string& name = stream->name();
  stream->Interrupt(true);
  workers_.Remove(name);
  stream->Interrupt(false);
  Status status = undelivered == Undelivered::kRefuse ? stream->CheckRemove() : Status();
  if (status.ok()) status = stream->Remove();
  if (!status.ok()) {
    BeginWork(stream);
    return status;
  }
  parts_.holds.RemoveAll(name);
  {
    const std::lock_guard lock(streams_mutex_);
    streams_.erase(name);
  }
  if (stream->config()->direct_put) {
    const Result<broker::StreamPtr> hidden = parts_.catalog.Delete(stream->config()->source_stream);
    if (hidden) parts_.forget_stream(*hidden);
  }
  broker::log::Info("delivery stream deleted", {{"delivery_stream", name}});
  return Status();
}

/// Where the buckets of a delivery stream are: those that have objects, and those in force.
std::map<std::string, std::string> DeliveryManager::PlacesOf(const DeliveryConfig& config,
                                                             const Checkpoint& checkpoint) {
  std::map<std::string, std::string> places{{config.bucket, objects_->Place(config.bucket)}};
  if (config.backup) places[config.backup->bucket] = objects_->Place(config.backup->bucket);
  for (const std::string& bucket : checkpoint.buckets) places[bucket] = objects_->Place(bucket);
  return places;
}

/// Between two steps, so that checkpoint, intent and ledger belong together.
Result<DeliveryAnswer> DeliveryManager::Ledger(std::string_view name, std::string_view from) {
  const Result<StreamPtr> stream = FindStream(name);
  if (!stream) return Error(stream.error());
  Result<DeliveryAnswer> answer = Error(Code::kInternal, "the ledger was not read");
  Between(**stream, [&] {
    const Result<std::vector<LedgerEntry>> ledger = (*stream)->Ledger();
    if (!ledger) {
      answer = Error(ledger.error());
    } else {
      const std::shared_ptr<const DeliveryConfig> held = (*stream)->config();
      const DeliveryConfig& config = *held;
      const DeliveryStatus status = (*stream)->status();
      const DeliveryIdentity identity = (*stream)->identity();
      const LedgerDocument document{.name = config.name,
                                    .uid = identity.uid,
                                    .stream = config.source_stream,
                                    .stream_exists = parts_.catalog.Find(identity.source).has_value(),
                                    .bucket = config.bucket,
                                    .backup_bucket = config.backup ? config.backup->bucket : "",
                                    .directories = PlacesOf(config, status.checkpoint),
                                    .endpoint = config.endpoint.domain_arn.empty() ? TellableUrl(config.endpoint.url)
                                                                                   : config.endpoint.domain_arn,
                                    .shards = status.checkpoint.shards,
                                    .intent = status.intent,
                                    .entries = *ledger};
      Result<std::string> page = LedgerPageToJson(document, from);
      answer = page ? Result<DeliveryAnswer>(DeliveryAnswer{std::move(*page), {}}) : Error(page.error());
    }
  });
  return answer;
}

}  // namespace sluice::delivery
