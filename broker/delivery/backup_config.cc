// The backup's destination, field by field in the order of Firehose's reference.
#include "broker/delivery/backup_config.h"

#include <fmt/format.h>

#include "broker/delivery/conversion_config.h"
#include "broker/delivery/prefix.h"
#include "broker/delivery/s3_fields.h"

namespace sluice::delivery {
namespace {

void CheckNoPartitionKeys(MapReader& map, const Prefix& prefix) {
  if (prefix.partition_keys().empty()) return;
  map.report().Problem(map.LineOf("Prefix"), map.PathOf("Prefix"),
                       "holds partition keys, which records have when they are processed, and a backup is not");
}

void ReadPrefixes(MapReader& map, BackupConfig& backup) {
  if (const auto text = map.String("Prefix")) backup.prefix = WithoutLeadingSlash(map, "Prefix", *text);
  const Result<Prefix> prefix = Prefix::Parse(backup.prefix, PrefixKind::kObjects);
  if (prefix) CheckNoPartitionKeys(map, *prefix);
  if (!prefix) map.report().Problem(map.LineOf("Prefix"), map.PathOf("Prefix"), prefix.error().message());
  if (const auto text = map.String("ErrorOutputPrefix")) backup.error_prefix = *text;
  if (const Result<Prefix> errors = Prefix::Parse(backup.error_prefix, PrefixKind::kErrors); !errors)
    map.report().Problem(map.LineOf("ErrorOutputPrefix"), map.PathOf("ErrorOutputPrefix"), errors.error().message());
}

void ReadHints(MapReader& map, BackupConfig& backup) {
  std::optional<MapReader> hints = map.Map("BufferingHints");
  if (!hints) return;
  if (const auto size_mb = hints->Int("SizeInMBs", 1, kSizeMbMax))
    backup.size_mb = static_cast<std::uint64_t>(*size_mb);
  if (const auto interval_s = hints->Int("IntervalInSeconds", 0, kIntervalSecondsMax))
    backup.interval_s = static_cast<std::uint64_t>(*interval_s);
  hints->Finish();
}

}  // namespace

BackupConfig ReadBackupDestination(MapReader map) {
  BackupConfig backup;
  ReadBucket(map, backup.role_arn, backup.bucket);
  ReadPrefixes(map, backup);
  ReadHints(map, backup);
  ReadRawCompression(map, backup.compression);
  ReadPassedOver(map);
  map.Finish();
  return backup;
}

void ReadBackupBesideErrors(MapReader& map, DeliveryConfig& config) {
  config.backup = {.role_arn = config.role_arn,
                   .error_prefix = config.error_prefix,
                   .bucket = config.bucket,
                   .prefix = config.prefix};
  if (const Result<Prefix> prefix = Prefix::Parse(config.prefix, PrefixKind::kObjects))
    CheckNoPartitionKeys(map, *prefix);
  ReadHints(map, *config.backup);
  ReadRawCompression(map, config.backup->compression);
}

void ReadBackup(MapReader& map, DeliveryConfig& config) {
  const std::string mode = PlainWord(map.String("S3BackupMode").value_or("Disabled"));
  if (mode == "disabled") {
    if (const ConfigField* backup = map.Take("S3BackupConfiguration"))
      map.report().Warn(backup->line, map.PathOf("S3BackupConfiguration"),
                        "is passed over: S3BackupMode is not Enabled");
    return;
  }
  std::optional<MapReader> backup = map.Map("S3BackupConfiguration");
  if (mode != "enabled") {
    map.report().Problem(map.LineOf("S3BackupMode"), map.PathOf("S3BackupMode"), "must be Disabled or Enabled");
  } else if (!backup) {
    map.report().Problem(map.LineOf("S3BackupMode"), map.PathOf("S3BackupConfiguration"),
                         "is missing: where shall the source records go?");
  } else {
    config.backup = ReadBackupDestination(*backup);
    if (config.backup->bucket != config.bucket || config.backup->prefix != config.prefix) return;
    map.report().Warn(
        backup->line(), map.PathOf("S3BackupConfiguration"),
        "has the bucket and the Prefix of the records themselves: who reads there finds each record twice");
  }
}

void WriteBackupDestination(std::string_view key, const BackupConfig& backup, protocol::JsonWriter& json) {
  json.Key(key).BeginObject().Key("RoleARN").String(backup.role_arn);
  json.Key("BucketARN").String(fmt::format("arn:aws:s3:::{}", backup.bucket));
  json.Key("Prefix").String(backup.prefix).Key("ErrorOutputPrefix").String(backup.error_prefix);
  json.Key("BufferingHints").BeginObject().Key("SizeInMBs").Number(backup.size_mb);
  json.Key("IntervalInSeconds").Number(backup.interval_s).EndObject();
  json.Key("CompressionFormat").String(RawCompressionName(backup.compression)).EndObject();
}

}  // namespace sluice::delivery
