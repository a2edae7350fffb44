// Loading delivery streams at start and from files, and letting them work; delivery_actions.cc has what users ask for.
#include "broker/delivery/delivery_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/delivery/config_document.h"
#include "broker/delivery/error_record.h"
#include "broker/delivery/log_record_source.h"
#include "broker/delivery/log_stream_appender.h"
#include "broker/delivery/redshift/copy_statement.h"
#include "broker/delivery/redshift/sql_text.h"
#include "broker/delivery/routed_object_store.h"
#include "broker/log.h"
#include "protocol/check.h"
#include "protocol/suggest.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kConfigTask = "/config";  // no delivery stream's name has a slash
constexpr std::int64_t kConfigLookMs = 2000;
constexpr std::string_view kZoneDir = "/usr/share/zoneinfo";

}  // namespace

Result<std::unique_ptr<DeliveryManager>> DeliveryManager::Start(DeliveryOptions options, BrokerParts parts) {
  std::unique_ptr<DeliveryManager> manager(new DeliveryManager(std::move(options), std::move(parts)));
  if (Status status = manager->OpenLake(); !status.ok()) return Error(std::move(status));
  const Result<std::vector<StreamPtr>> streams = manager->LoadAll();
  if (!streams) return Error(streams.error());
  const bool has_files = !manager->options_.config_dir.empty();
  if (has_files) manager->config_folder_.Look();  // before anything is decided by what the files may change
  for (const StreamPtr& stream : *streams) {
    manager->ExpectBuckets(*stream);
    manager->workers_.Add(stream->name(), [raw = manager.get(), stream, looked = false]() mutable {
      if (!std::exchange(looked, true))
        raw->WarnOfLake(*stream);  // here: a store that is away must not hold up the start
      return raw->StepAndLog(*stream);
    });
  }
  if (has_files) {
    manager->workers_.Add(kConfigTask, [raw = manager.get()] {
      raw->config_folder_.Look();
      return kConfigLookMs;
    });
  }
  return manager;
}

DeliveryManager::DeliveryManager(DeliveryOptions options, BrokerParts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      secrets_(options_.secrets_dir.empty() ? nullptr : NewSecretFiles(parts_.env, options_.secrets_dir)),
      config_folder_(parts_.env, options_.config_dir, UseOfFiles()),
      workers_(parts_.env.clock(), std::max<std::uint32_t>(1, options_.threads)) {}

Status DeliveryManager::OpenLake() {
  Result<std::unique_ptr<ObjectStore>> objects =
      NewRoutedObjectStore(parts_.env, options_, parts_.spool_dir, stopping_);
  if (!objects) return objects.error();
  objects_ = std::move(*objects);
  return Status();
}

DeliveryManager::~DeliveryManager() { Stop(); }

void DeliveryManager::Stop() {
  stopping_ = true;
  workers_.Stop();
}

Result<std::vector<DeliveryManager::StreamPtr>> DeliveryManager::LoadAll() {
  const Result<std::vector<std::string>> names = DeliveryStore::Names(parts_.metadata);
  if (!names) return Error(names.error());
  std::vector<StreamPtr> streams;
  for (const std::string& name : *names) {
    Result<StreamPtr> stream = LoadOne(name);
    if (!stream) return Error(stream.error().WithContext(fmt::format("delivery stream '{}'", name)));
    streams.push_back(std::move(*stream));
  }
  return streams;
}

Result<DeliveryManager::StreamPtr> DeliveryManager::LoadOne(const std::string& name) {
  const Result<DeliveryIdentity> identity = DeliveryStore::LoadIdentity(parts_.metadata, name);
  if (!identity) return Error(identity.error());
  const DeliveryParts parts{
      parts_.metadata,
      *objects_,
      parts_.env,
      parts_.work_dir,
      [this](const std::string& zone) { return LoadZone(zone); },
      [&holds = parts_.holds, name, source = identity->source](StreamId stream, ShardIndex shard, Offset offset) {
        const bool feeds = stream == source;
        holds.Set({stream, shard}, name, offset,
                  feeds ? broker::HoldReason::kSource : broker::HoldReason::kDeadLetters);
      },
      MakeProcessorSettings(),
      parts_.keys,
      NewAppender(),
      [&holds = parts_.holds, name](StreamId stream, ShardIndex shard) { holds.Remove({stream, shard}, name); }};
  auto stream = std::make_shared<DeliveryStream>(
      name, NewLogRecordSource(parts_.reads, parts_.catalog, identity->source, stopping_), parts);
  if (Status status = stream->Open(); !status.ok()) return Error(std::move(status));
  {
    const std::lock_guard lock(streams_mutex_);
    streams_[name] = stream;
  }
  return stream;
}

std::unique_ptr<StreamAppender> DeliveryManager::NewAppender() const {
  return NewLogStreamAppender({.loops = parts_.loops,
                               .appends = parts_.appends,
                               .append_options = parts_.append_options,
                               .reads = parts_.reads,
                               .catalog = parts_.catalog,
                               .stopping = stopping_});
}

ProcessorSettings DeliveryManager::MakeProcessorSettings() const {
  return {.lambda = options_.lambda,
          .ca_file = options_.stores.ca_file,
          .jq_program = options_.jq_program,
          .region = parts_.region,
          .account = parts_.account,
          .endpoint_timeout_ms = options_.endpoint_timeout_ms,
          .load_timeout_ms = options_.load_timeout_ms,
          .domains = options_.domains,
          .signing_secret = options_.signing_secret,
          .secrets = secrets_.get(),
          .stopping = &stopping_};
}

void DeliveryManager::BeginWork(const StreamPtr& stream) {
  workers_.Add(stream->name(), [this, stream] { return StepAndLog(*stream); });
}

void DeliveryManager::Between(DeliveryStream& stream, const std::function<void()>& work) {
  stream.Interrupt(true);
  workers_.RunBetween(stream.name(), [&] {
    stream.Interrupt(false);
    work();
  });
}

void DeliveryManager::ExpectBuckets(const DeliveryStream& stream) {
  for (const std::string& bucket : stream.status().checkpoint.buckets) objects_->ExpectBucket(bucket);
}

std::vector<std::string> DeliveryManager::BucketProblems(const DeliveryConfig& config) {
  std::vector<std::string> problems;
  if (const Status lake = objects_->CheckBucket(config.bucket); !lake.ok()) problems.push_back(lake.message());
  if (!config.backup || config.backup->bucket == config.bucket) return problems;
  if (const Status backup = objects_->CheckBucket(config.backup->bucket); !backup.ok())
    problems.push_back(backup.message());
  return problems;
}

void DeliveryManager::WarnOfLake(const DeliveryStream& stream) {
  for (const std::string& problem : BucketProblems(*stream.config())) {
    broker::log::Warning("the lake cannot be written", {{"delivery_stream", stream.name()}, {"error", problem}});
  }
}

/// Says in the log when a delivery stream begins to fail and when it is well again, not each try.
std::int64_t DeliveryManager::StepAndLog(DeliveryStream& stream) {
  const DeliveryStatus before = stream.status();
  const std::int64_t wait_ms = stream.Step();
  const DeliveryStatus after = stream.status();
  if (stopping_ || stream.interrupted()) return wait_ms;  // what was cut off goes on afterwards
  if (after.last_error != before.last_error && !after.last_error.empty()) {
    broker::log::Error("delivery fails and is tried again",
                       {{"delivery_stream", stream.name()}, {"error", after.last_error}});
  } else if (!before.last_error.empty() && after.last_error.empty()) {
    broker::log::Info("delivery goes on", {{"delivery_stream", stream.name()}});
  }
  if (after.checkpoint.totals.errors > before.checkpoint.totals.errors) {
    broker::log::Warning(after.checkpoint.totals.dead_letters > before.checkpoint.totals.dead_letters
                             ? "records could not be delivered and are in the dead-letter stream"
                             : "records could not be delivered and are in the error output",
                         {{"delivery_stream", stream.name()},
                          {"records", after.checkpoint.totals.errors - before.checkpoint.totals.errors}});
  }
  if (after.checkpoint.totals.lost > before.checkpoint.totals.lost) {
    broker::log::Error("records were lost before they were delivered; 'sluice verify' names them",
                       {{"delivery_stream", stream.name()},
                        {"records", after.checkpoint.totals.lost - before.checkpoint.totals.lost}});
  }
  return wait_ms;
}

ConfigFolderUse DeliveryManager::UseOfFiles() {
  const auto name_of = [this](const std::string& document, const std::string& path) {
    const Result<ParsedDeliveryConfig> parsed = ParseDeliveryConfig(document, path, tables());
    return parsed ? parsed->config.name : std::string();
  };
  const auto use = [this](const std::string& document,
                          const std::string& path) -> std::optional<Result<DeliveryAnswer>> {
    // A request that holds the lock may be waiting for the thread that this runs on.
    const std::unique_lock lock(control_mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return std::nullopt;
    return Create(document, path);
  };
  return {.read = [this](const std::string& path) { return ReadFile(path); }, .name_of = name_of, .use = use};
}

Result<DeliveryManager::StreamPtr> DeliveryManager::FindStream(std::string_view name) const {
  const std::lock_guard lock(streams_mutex_);
  if (const auto it = streams_.find(name); it != streams_.end()) return it->second;
  std::vector<std::string> names;
  for (const auto& [known, stream] : streams_) names.push_back(known);
  return Error(Code::kNotFound,
               fmt::format("delivery stream '{}' does not exist{}", name, protocol::DidYouMean(name, names)));
}

void DeliveryManager::RetrySource(std::string_view source) {
  std::vector<std::string> failing;
  {
    const std::lock_guard lock(streams_mutex_);
    for (const auto& [name, stream] : streams_) {
      const bool fails = stream->status().mode == DeliveryMode::kFailing;
      if (fails && stream->config()->source_stream == source) failing.push_back(name);
    }
  }
  for (const std::string& name : failing) workers_.Wake(name);
}

std::vector<std::pair<std::string, DeliveryStatus>> DeliveryManager::Statuses() const {
  const std::lock_guard lock(streams_mutex_);
  std::vector<std::pair<std::string, DeliveryStatus>> statuses;
  for (const auto& [name, stream] : streams_) statuses.emplace_back(name, stream->status());
  return statuses;
}

Result<std::string> DeliveryManager::ReadFile(const std::string& path) {
  Result<std::unique_ptr<storage::File>> file = parts_.env.Open(path, storage::OpenMode::kRead);
  if (!file) return Error(file.error());
  const Result<std::uint64_t> size = (*file)->Size();
  if (!size) return Error(size.error());
  if (*size > kConfigDocumentBytesMax) {
    return Error(Code::kInvalidArgument,
                 fmt::format("'{}' has {} bytes; at most {} are read", path, *size, kConfigDocumentBytesMax));
  }
  std::string bytes(*size, '\0');
  const Result<std::size_t> read = (*file)->Read(0, std::span(bytes.data(), bytes.size()));
  if (!read) return Error(read.error());
  bytes.resize(*read);
  return bytes;
}

Result<TimeZone> DeliveryManager::LoadZone(const std::string& name) {
  if (name.empty()) return TimeZone::Utc();
  SLUICE_CHECK(IsTimeZoneName(name));
  const Result<std::string> bytes = ReadFile(fmt::format("{}/{}", kZoneDir, name));
  if (!bytes && bytes.error().code() == Code::kNotFound) {
    return Error(Code::kInvalidArgument,
                 fmt::format("CustomTimeZone: this machine does not know the time zone '{}'; is the package "
                             "tzdata installed?",
                             name));
  }
  if (!bytes) return Error(bytes.error());
  return TimeZone::FromTzif(name, *bytes);
}

/// The statement that loads a delivery, as `check` shows it; empty where there is no cluster.
Result<std::string> DeliveryManager::ExampleCopy(const DeliveryConfig& config) {
  if (!config.redshift) return std::string();
  const Result<TimeZone> zone = LoadZone(config.time_zone);
  if (!zone) return Error(zone.error());
  const Result<Prefix> prefix = Prefix::Parse(ManifestPrefix(config.prefix), PrefixKind::kObjects);
  if (!prefix) return Error(prefix.error());
  const PrefixContext context{parts_.env.clock().WallMs(), &*zone, 0, ""};
  const std::string key =
      SafeKey(prefix->Evaluate(context) + ObjectName(config.name, 1, context, HashedUuid(config.name), ""));
  if (Status status = CheckObjectKey(key); !status.ok()) return Error(std::move(status));
  const std::string url = S3Url(objects_->Place(config.bucket), config.bucket, key);
  return WithoutCredentials(CopyStatement(*config.redshift, url, config.compression));
}

/// A cluster at AWS can read from S3 only.
std::string DeliveryManager::StagingWarning(const DeliveryConfig& config) {
  if (!config.redshift) return "";
  const std::string place = objects_->Place(config.bucket);
  if (place.starts_with("s3://")) return "";
  return fmt::format(
      "S3Configuration: the bucket '{}' is {}, and COPY reads s3://{}/; name an s3:// root for it in "
      "[delivery.buckets]",
      config.bucket, place, config.bucket);
}

/// A key as deliveries will have it; also finds out whether the store can have such keys.
Result<std::string> DeliveryManager::ExampleKey(const DeliveryConfig& config) {
  const Result<TimeZone> zone = LoadZone(config.time_zone);
  if (!zone) return Error(zone.error());
  PrefixContext context{parts_.env.clock().WallMs(), &*zone, 0, ""};
  const std::string uuid = HashedUuid(config.name);
  std::string example;
  for (const PrefixKind kind : {PrefixKind::kErrors, PrefixKind::kObjects}) {
    const bool errors = kind == PrefixKind::kErrors;
    const Result<Prefix> prefix = Prefix::Parse(errors ? config.error_prefix : config.prefix, kind);
    if (!prefix) return Error(prefix.error());
    context.error_output_type = errors ? kFormatConversionFailed : "";
    std::vector<std::string_view> values;  // of partition keys: their names stand for them
    for (const PartitionExpression& expression : prefix->partition_keys()) values.push_back(expression.name);
    context.partition_values = values;
    example = SafeKey(prefix->Evaluate(context) +
                      ObjectName(config.name, 1, context, uuid, errors ? "" : ObjectExtension(config)));
    if (Status status = CheckObjectKey(example); !status.ok()) return Error(std::move(status));
  }
  if (config.backup) {
    context.partition_values = {};  // a backup has none
    const Result<Prefix> prefix = Prefix::Parse(config.backup->prefix, PrefixKind::kObjects);
    if (!prefix) return Error(prefix.error());
    Status status = CheckObjectKey(
        SafeKey(prefix->Evaluate(context) +
                ObjectName(config.name, 1, context, uuid, RawCompressionExtension(config.backup->compression))));
    if (!status.ok()) return Error(status.WithContext("S3BackupConfiguration"));
  }
  return example;
}

}  // namespace sluice::delivery
