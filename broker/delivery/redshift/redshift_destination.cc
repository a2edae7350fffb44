// Cluster, statement, staging bucket.
#include "broker/delivery/redshift/redshift_destination.h"

#include <fmt/format.h>

#include "broker/delivery/backup_config.h"
#include "broker/delivery/delivery_terms.h"
#include "broker/delivery/endpoints/endpoint_destination.h"
#include "broker/delivery/endpoints/endpoint_fields.h"
#include "broker/delivery/processing_config.h"
#include "broker/delivery/redshift/copy_statement.h"
#include "broker/delivery/redshift/jdbc_url.h"
#include "broker/delivery/redshift/sql_text.h"
#include "broker/delivery/s3_fields.h"
#include "protocol/ascii.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kLoadsTableMax = 255;

void ReadCluster(MapReader& map, RedshiftConfig& redshift) {
  redshift.role_arn = map.String("RoleARN").value_or("");
  redshift.url = map.String("ClusterJDBCURL").value_or("");
  const Result<JdbcUrl> url = ParseJdbcUrl(redshift.url);
  const int line = map.LineOf("ClusterJDBCURL");
  const std::string path = map.PathOf("ClusterJDBCURL");
  if (redshift.url.empty()) {
    map.report().Problem(line, path, "is missing: write jdbc:redshift://HOST:PORT/DATABASE");
  } else if (!url) {
    map.report().Problem(line, path, url.error().message());
  } else if (url->ssl_mode == "disable" || url->ssl_mode == "allow" || url->ssl_mode == "prefer") {
    map.report().Warn(line, path,
                      fmt::format("says sslmode={}: statements may go to the cluster unencrypted", url->ssl_mode));
  }
  redshift.secret = ReadSecretsManager(map);
  redshift.username = ReadSecret(map, "Username");
  redshift.password = ReadSecret(map, "Password");
  for (const auto& [key, value] :
       {std::pair("Username", &redshift.username), std::pair("Password", &redshift.password)}) {
    if (value->empty() && !redshift.secret.enabled)
      map.report().Problem(map.LineOf(key), map.PathOf(key), "is missing");
  }
}

void ReadCopyCommand(MapReader& map, RedshiftConfig& redshift) {
  std::optional<MapReader> command = map.Map("CopyCommand");
  if (!command) {
    map.report().Problem(map.line(), map.PathOf("CopyCommand"), "is missing: it names the table");
    return;
  }
  redshift.table = command->String("DataTableName").value_or("");
  redshift.columns = command->String("DataTableColumns").value_or("");
  redshift.copy_options = command->String("CopyOptions").value_or("");
  command->Finish();
  if (const std::string problem = CopyCommandProblem(redshift); !problem.empty())
    map.report().Problem(command->line(), command->path(), problem);
  if (redshift.role_arn.empty() && !HasCredentials(redshift)) {
    map.report().Problem(
        map.line(), map.PathOf("RoleARN"),
        "is missing: COPY reads the bucket with this role, which has to be attached to the cluster; or "
        "say IAM_ROLE default in CopyOptions");
  }
}

/// A plain destination, of which COPY can read what it writes.
void ReadStaging(MapReader& map, const SluiceExtras& extras, DeliveryConfig& config) {
  std::optional<MapReader> bucket = map.Map("S3Configuration");
  if (!bucket) {
    map.report().Problem(map.line(), map.PathOf("S3Configuration"),
                         "is missing: the objects that are loaded go to its bucket");
    return;
  }
  ReadS3Destination(*bucket, false, extras, config);
  if (config.compression != RawCompression::kUncompressed && config.compression != RawCompression::kGzip) {
    map.report().Problem(bucket->LineOf("CompressionFormat"), bucket->PathOf("CompressionFormat"),
                         "must be UNCOMPRESSED or GZIP: the cluster's COPY reads no other one");
  }
  const Result<Prefix> prefix = Prefix::Parse(ManifestPrefix(config.prefix), PrefixKind::kObjects);
  if (!prefix || !prefix->partition_keys().empty()) {
    map.report().Problem(
        bucket->LineOf("Prefix"), bucket->PathOf("Prefix"),
        prefix ? "holds partition keys, which this destination does not have" : prefix.error().message());
  }
}

void WriteStaging(const DeliveryConfig& config, protocol::JsonWriter& json) {
  json.Key("S3Configuration").BeginObject().Key("RoleARN").String(config.role_arn);
  json.Key("BucketARN").String(fmt::format("arn:aws:s3:::{}", config.bucket));
  json.Key("Prefix").String(config.prefix).Key("ErrorOutputPrefix").String(config.error_prefix);
  json.Key("BufferingHints").BeginObject().Key("SizeInMBs").Number(config.size_mb <= 4096 ? config.size_mb : 4096);
  json.Key("IntervalInSeconds").Number(config.interval_s).EndObject();
  json.Key("CompressionFormat").String(RawCompressionName(config.compression)).EndObject();
}

/// "loads", "schema.loads"; nothing that would have to be quoted.
bool IsTableName(std::string_view name) {
  if (name.size() > kLoadsTableMax) return false;
  while (true) {
    const std::size_t end = std::min(name.find('.'), name.size());
    const std::string_view part = name.substr(0, end);
    if (part.empty() || protocol::IsDigit(part.front())) return false;
    for (const char c : part) {
      if (!protocol::IsLetterOrDigit(c) && c != '_') return false;
    }
    if (end == name.size()) return true;
    name.remove_prefix(end + 1);
  }
}

}  // namespace

std::string CopyCommandProblem(const RedshiftConfig& config) {
  if (TrimmedSql(config.table).empty()) return "DataTableName is missing";
  const std::pair<std::string_view, std::string_view> parts[] = {
      {"DataTableName", config.table}, {"DataTableColumns", config.columns}, {"CopyOptions", config.copy_options}};
  for (const auto& [name, sql] : parts) {
    if (const std::string problem = SqlPartProblem(sql); !problem.empty()) return fmt::format("{} {}", name, problem);
  }
  if (HasSqlWord(config.copy_options, "manifest"))
    return "CopyOptions have MANIFEST, which is put in front of them; leave it out";
  return "";
}

void ReadRedshiftDestination(MapReader& map, const SluiceExtras& extras, DeliveryConfig& config) {
  RedshiftConfig redshift;
  ReadCluster(map, redshift);
  ReadCopyCommand(map, redshift);
  ReadStaging(map, extras, config);
  ReadProcessing(map, extras, config);
  redshift.retry_s = ReadRetrySeconds(map, kLoadRetrySecondsDefault);
  config.redshift = std::move(redshift);
  ReadBackup(map, config);
  ReadPassedOver(map);
  map.Finish();
}

void ReadLoadsTable(MapReader& sluice, DeliveryConfig& config) {
  const std::optional<std::string> table = sluice.String("LoadsTable");
  if (!table) return;
  const int line = sluice.LineOf("LoadsTable");
  if (!config.redshift) {
    sluice.report().Warn(line, sluice.PathOf("LoadsTable"), "is passed over: it is of Redshift destinations");
  } else if (!table->empty() && !IsTableName(*table)) {
    sluice.report().Problem(line, sluice.PathOf("LoadsTable"),
                            fmt::format("'{}' is no table's name; write letters, digits and '_', also SCHEMA.TABLE, or "
                                        "nothing for none",
                                        *table));
  } else {
    config.redshift->loads_table = *table;
  }
}

void WriteRedshiftDestination(const DeliveryConfig& config, Secrets secrets, protocol::JsonWriter& json) {
  SLUICE_CHECK(config.redshift.has_value());
  const RedshiftConfig& redshift = *config.redshift;
  const bool told = secrets == Secrets::kTold;
  json.Key(kRedshiftMember).BeginObject().Key("RoleARN").String(redshift.role_arn);
  json.Key("ClusterJDBCURL").String(redshift.url);
  json.Key("CopyCommand").BeginObject().Key("DataTableName").String(redshift.table);
  json.Key("DataTableColumns").String(redshift.columns);
  json.Key("CopyOptions").String(told ? redshift.copy_options : WithoutCredentials(redshift.copy_options)).EndObject();
  if (!redshift.username.empty()) json.Key("Username").String(redshift.username);
  if (told && !redshift.password.empty()) json.Key("Password").String(redshift.password);
  WriteSecretsManager(redshift.secret, json);
  json.Key("RetryOptions").BeginObject().Key("DurationInSeconds").Number(redshift.retry_s).EndObject();
  WriteStaging(config, json);
  WriteProcessing(config, json);
  json.Key("S3BackupMode").String(config.backup ? "Enabled" : "Disabled");
  if (config.backup) WriteBackupDestination("S3BackupConfiguration", *config.backup, json);
  json.EndObject();
}

}  // namespace sluice::delivery
