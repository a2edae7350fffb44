// Hints, retries, the bucket of errors; a kind's own members are its own file's.
#include "broker/delivery/endpoints/endpoint_destination.h"

#include <fmt/format.h>

#include "broker/delivery/backup_config.h"
#include "broker/delivery/endpoints/endpoint_fields.h"
#include "broker/delivery/processing_config.h"
#include "broker/delivery/s3_fields.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

void ReadHints(MapReader& map, const EndpointKind& kind, DeliveryConfig& config) {
  config.size_mb = static_cast<std::uint64_t>(kEndpointSizeMbDefault);
  config.interval_s = static_cast<std::uint64_t>(kind.interval_s_default);
  std::optional<MapReader> hints = map.Map("BufferingHints");
  if (!hints) return;
  const std::optional<std::int64_t> size_mb = hints->Int("SizeInMBs", 1, kind.size_mb_max);
  const std::optional<std::int64_t> interval_s = hints->Int("IntervalInSeconds", 0, kIntervalSecondsMax);
  if (size_mb) config.size_mb = static_cast<std::uint64_t>(*size_mb);
  if (interval_s) config.interval_s = static_cast<std::uint64_t>(*interval_s);
  hints->Finish();
}

ErrorBucket ReadBackupMode(MapReader& map, const EndpointKind& kind) {
  const std::string mode = PlainWord(map.String("S3BackupMode").value_or(std::string(kind.failed_only)));
  if (mode == PlainWord(kind.all)) return ErrorBucket::kAllRecords;
  if (mode != PlainWord(kind.failed_only)) {
    map.report().Problem(map.LineOf("S3BackupMode"), map.PathOf("S3BackupMode"),
                         fmt::format("must be {} or {}", kind.failed_only, kind.all));
  }
  return ErrorBucket::kErrorsOnly;
}

void ReadBucketBeside(MapReader& map, const EndpointKind& kind, DeliveryConfig& config) {
  const ErrorBucket holds = ReadBackupMode(map, kind);
  std::optional<MapReader> bucket = map.Map("S3Configuration");
  if (bucket) return ReadErrorBucket(*bucket, holds, config);
  map.report().Problem(map.line(), map.PathOf("S3Configuration"),
                       "is missing: what the endpoint does not take goes to its bucket");
}

/// Where none is given; the one of most kinds is the processor's own.
void SetLambdaBuffer(std::string_view buffer_mb, DeliveryConfig& config) {
  if (buffer_mb == kLambdaBufferMbDefault) return;
  for (ProcessorConfig& processor : config.processors) {
    if (processor.type == "Lambda" && processor.Find(kLambdaBufferSize) == nullptr)
      processor.parameters.emplace_back(kLambdaBufferSize, buffer_mb);
  }
}

}  // namespace

std::string DestinationMember(const EndpointKind& kind) { return fmt::format("{}DestinationConfiguration", kind.type); }

void ReadEndpointDestination(MapReader& map, const EndpointKind& kind, const SluiceExtras& extras,
                             DeliveryConfig& config) {
  config.endpoint.type = kind.type;
  if (!kind.secret_member.empty()) config.endpoint.secret = ReadSecretsManager(map);
  kind.read(map, config.endpoint);
  ReadBucketBeside(map, kind, config);
  if (const auto role = map.String("RoleARN")) config.role_arn = *role;
  ReadHints(map, kind, config);
  ReadProcessing(map, extras, config);
  SetLambdaBuffer(kind.lambda_buffer_mb, config);
  if (!config.delimiter_after_last && !kind.joins_records) {
    map.report().Warn(map.LineOf("ProcessingConfiguration"), map.PathOf("ProcessingConfiguration"),
                      "AppendDelimiterToRecord is passed over: an endpoint is given each record by itself");
    config.delimiter_after_last = true;
    config.delimiter = "\n";
  }
  config.endpoint.retry_s = ReadRetrySeconds(map, kind.retry_s_default);
  ReadPassedOver(map);
  map.Finish();
}

void WriteEndpointDestination(const DeliveryConfig& config, Secrets secrets, protocol::JsonWriter& json) {
  const EndpointKind* const kind = FindEndpointKind(config.endpoint.type);
  SLUICE_CHECK(kind != nullptr);
  json.Key(DestinationMember(*kind)).BeginObject();
  kind->write(config.endpoint, secrets, json);
  WriteSecretsManager(config.endpoint.secret, json);
  json.Key("BufferingHints").BeginObject().Key("SizeInMBs").Number(config.size_mb);
  json.Key("IntervalInSeconds").Number(config.interval_s).EndObject();
  WriteProcessing(config, json);
  json.Key("RoleARN").String(config.role_arn);
  json.Key("RetryOptions").BeginObject().Key("DurationInSeconds").Number(config.endpoint.retry_s).EndObject();
  json.Key("S3BackupMode").String(config.backup ? kind->all : kind->failed_only);
  if (config.backup) {
    WriteBackupDestination("S3Configuration", *config.backup, json);
  } else {
    json.Key("S3Configuration").BeginObject().Key("RoleARN").String(config.role_arn);
    json.Key("BucketARN").String(fmt::format("arn:aws:s3:::{}", config.bucket));
    json.Key("Prefix").String(config.prefix).Key("ErrorOutputPrefix").String(config.error_prefix).EndObject();
  }
  json.EndObject();
}

}  // namespace sluice::delivery
