// RedshiftDestinationConfiguration in the configuration of a delivery stream.
#include <string>

#include "broker/delivery/config_change.h"
#include "broker/delivery/delivery_config.h"
#include "tests/catch.h"
#include "tests/delivery/config_documents.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kCluster = R"("ClusterJDBCURL": "jdbc:redshift://h:5439/dev", "RoleARN": "arn:load")";
constexpr std::string_view kLogin = R"("Username": "loader", "Password": "Geheim99")";
constexpr std::string_view kCopy = R"("CopyCommand": {"DataTableName": "orders"})";
constexpr std::string_view kBucket = R"("S3Configuration": {"RoleARN": "r", "BucketARN": "arn:aws:s3:::stage"})";

/// `members` stand on line 3.
std::string RedshiftDocument(std::string_view members, std::string_view top = "\"Tags\": []") {
  return fmt::format("{{\"DeliveryStreamName\": \"d\", {},\n\"RedshiftDestinationConfiguration\": {{\n{}}}}}", top,
                     members);
}

std::string All(std::string_view cluster = kCluster, std::string_view login = kLogin, std::string_view copy = kCopy,
                std::string_view bucket = kBucket) {
  return fmt::format("{}, {}, {}, {}", cluster, login, copy, bucket);
}

ParsedDeliveryConfig Parsed(std::string_view document) {
  auto parsed = ParseDeliveryConfig(document, "f.json");
  INFO((parsed ? "" : parsed.error().message()));
  REQUIRE(parsed.has_value());
  return *parsed;
}

std::string Problems(std::string_view document) {
  const auto parsed = ParseDeliveryConfig(document, "f.json");
  REQUIRE_FALSE(parsed.has_value());
  return parsed.error().message();
}

}  // namespace

TEST_CASE("ParseDeliveryConfig: Redshift with everything, and its canonical form", "[delivery]") {
  const ParsedDeliveryConfig parsed = Parsed(RedshiftDocument(
      R"("RoleARN": "arn:load", "ClusterJDBCURL": "jdbc:redshift://h:5439/dev",
      "CopyCommand": {"DataTableName": "orders", "DataTableColumns": "a, b", "CopyOptions": "json 'auto' gzip"},
      "Username": "loader", "Password": "Geheim99", "RetryOptions": {"DurationInSeconds": 0},
      "S3Configuration": {"RoleARN": "r", "BucketARN": "arn:aws:s3:::stage", "Prefix": "in/", "CompressionFormat": "GZIP",
          "BufferingHints": {"SizeInMBs": 7, "IntervalInSeconds": 61}},
      "ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "Decompression"}]},
      "S3BackupMode": "Enabled", "S3BackupConfiguration": {"RoleARN": "r", "BucketARN": "arn:aws:s3:::spare"},
      "CloudWatchLoggingOptions": {"Enabled": false}, "SecretsManagerConfiguration": {"Enabled": false})",
      R"("Sluice": {"LoadsTable": "admin.loads", "Delimiter": "|"})"));
  CHECK(Joined(parsed.warnings) == "");
  const DeliveryConfig& config = parsed.config;
  CHECK(config.redshift == RedshiftConfig{.role_arn = "arn:load",
                                          .url = "jdbc:redshift://h:5439/dev",
                                          .username = "loader",
                                          .password = "Geheim99",
                                          .table = "orders",
                                          .columns = "a, b",
                                          .copy_options = "json 'auto' gzip",
                                          .retry_s = 0,
                                          .loads_table = "admin.loads"});
  CHECK(config.role_arn == "r");
  CHECK(config.bucket == "stage");
  CHECK(config.prefix == "in/");
  CHECK(config.error_prefix == "in/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH/}");
  CHECK(config.compression == RawCompression::kGzip);
  CHECK(config.size_mb == 7);
  CHECK(config.interval_s == 61);
  CHECK(config.delimiter == "|");
  CHECK(config.processors.size() == 1);
  REQUIRE(config.backup.has_value());
  CHECK(config.backup->bucket == "spare");
  const std::string canonical = DeliveryConfigToJson(config);
  const auto again = ParseStoredDeliveryConfig(canonical);
  REQUIRE(again.has_value());
  CHECK(again->config.redshift == config.redshift);
  CHECK(DeliveryConfigToJson(again->config) == canonical);
  CHECK(Contains(canonical, R"("Password":"Geheim99")"));
  CHECK_FALSE(Contains(DeliveryConfigToJson(config, Secrets::kHidden), "Geheim99"));
}

TEST_CASE("ParseDeliveryConfig: Redshift's defaults", "[delivery]") {
  const ParsedDeliveryConfig parsed = Parsed(RedshiftDocument(All()));
  CHECK(Joined(parsed.warnings) == "");
  CHECK(parsed.config.redshift->retry_s == 3600);
  CHECK(parsed.config.redshift->loads_table == "sluice_loads");
  CHECK(parsed.config.size_mb == 5);
  CHECK(parsed.config.interval_s == 300);
  CHECK(parsed.config.compression == RawCompression::kUncompressed);
  CHECK_FALSE(parsed.config.backup.has_value());
  CHECK(Parsed(RedshiftDocument(All(), R"("Sluice": {"LoadsTable": ""})")).config.redshift->loads_table.empty());
}

TEST_CASE("ParseDeliveryConfig: what Redshift cannot be", "[delivery]") {
  const std::pair<std::string, std::string_view> cases[] = {
      {All(R"("RoleARN": "r")"), "f.json:2: RedshiftDestinationConfiguration.ClusterJDBCURL: is missing"},
      {All(R"("RoleARN": "r", "ClusterJDBCURL": "h:5439/dev")"), "begins neither with jdbc:redshift://"},
      {All(R"("ClusterJDBCURL": "jdbc:redshift://h/d")"), "RoleARN: is missing: COPY reads the bucket with this role"},
      {All(kCluster, R"("Username": "u")"), "RedshiftDestinationConfiguration.Password: is missing"},
      {All(kCluster, R"("Password": "p")"), "RedshiftDestinationConfiguration.Username: is missing"},
      {All(kCluster, kLogin, R"("CopyCommand": {})"), "CopyCommand: DataTableName is missing"},
      {fmt::format("{}, {}, {}", kCluster, kLogin, kBucket), "CopyCommand: is missing: it names the table"},
      {All(kCluster, kLogin, R"("CopyCommand": {"DataTableName": "o", "CopyOptions": "csv; drop table o"})"),
       "CopyOptions has a ';' in it"},
      {All(kCluster, kLogin, R"("CopyCommand": {"DataTableName": "o", "CopyOptions": "manifest csv"})"),
       "CopyOptions have MANIFEST"},
      {All(kCluster, kLogin, R"("CopyCommand": {"DataTableName": "o", "Options": "csv"})"), "Options"},
      {fmt::format("{}, {}, {}", kCluster, kLogin, kCopy), "S3Configuration: is missing"},
      {All(kCluster, kLogin, kCopy,
           R"("S3Configuration": {"RoleARN": "r", "BucketARN": "b", "CompressionFormat": "Snappy"})"),
       "must be UNCOMPRESSED or GZIP"},
      {All(kCluster, kLogin, kCopy,
           R"("S3Configuration": {"RoleARN": "r", "BucketARN": "b", "Prefix": "!{partitionKeyFromQuery:a}/",
           "ErrorOutputPrefix": "e/"})"),
       "holds partition keys"},
      {All() + R"(, "RetryOptions": {"DurationInSeconds": 7201})", "DurationInSeconds"},
      {All() + R"(, "S3BackupMode": "Enabled")", "S3BackupConfiguration: is missing"},
      {All() + R"(, "S3BackupMode": "AllData")", "must be Disabled or Enabled"},
      {All() + R"(, "BufferingHints": {})", "BufferingHints"},
  };
  for (const auto& [members, message] : cases) {
    const std::string problems = Problems(RedshiftDocument(members));
    INFO(problems);
    CHECK(Contains(problems, message));
    CHECK_FALSE(Contains(problems, "Geheim99"));
  }
  CHECK(Contains(Problems(RedshiftDocument(All() + R"(, "SecretsManagerConfiguration": {"Enabled": true})")),
                 "SecretsManagerConfiguration.SecretARN: is missing"));
  CHECK(Contains(Problems(RedshiftDocument(All(), R"("Sluice": {"LoadsTable": "a b"})")), "'a b' is no table's name"));
  CHECK(Contains(Problems(RedshiftDocument(All(), R"("Sluice": {"FileSizeMB": 0})")), "FileSizeMB"));
}

TEST_CASE("ParseDeliveryConfig: Redshift with a secret in place of its login", "[delivery]") {
  constexpr std::string_view kSecret = R"("SecretsManagerConfiguration": {"Enabled": true, "SecretARN": "db"})";
  const ParsedDeliveryConfig parsed = Parsed(RedshiftDocument(All(kCluster, kSecret)));
  CHECK(Joined(parsed.warnings) == "");
  CHECK(parsed.config.redshift->secret == SecretConfig{.enabled = true, .arn = "db"});
  CHECK(parsed.config.redshift->username.empty());
  const std::string canonical = DeliveryConfigToJson(parsed.config);
  CHECK_FALSE(Contains(canonical, "Username"));
  CHECK_FALSE(Contains(canonical, "Password"));
  const auto again = ParseStoredDeliveryConfig(canonical);
  REQUIRE(again.has_value());
  CHECK(again->config.redshift == parsed.config.redshift);
  CHECK(Contains(Problems(RedshiftDocument(
                     All(kCluster, R"("SecretsManagerConfiguration": {"Enabled": false, "SecretARN": "db"})"))),
                 "Password: is missing"));
}

TEST_CASE("ParseDeliveryConfig: Redshift's warnings", "[delivery]") {
  CHECK(Contains(
      Joined(Parsed(RedshiftDocument(All(R"("RoleARN": "r", "ClusterJDBCURL": "jdbc:redshift://h/d?sslmode=prefer")")))
                 .warnings),
      "says sslmode=prefer: statements may go to the cluster unencrypted"));
  CHECK(Contains(Joined(Parsed(Document(R"("Prefix": "p/")", R"("Sluice": {"LoadsTable": "x"})")).warnings),
                 "LoadsTable: is passed over: it is of Redshift destinations"));
  const auto own = Parsed(RedshiftDocument(
      All(R"("ClusterJDBCURL": "jdbc:redshift://h/d")", kLogin,
          R"("CopyCommand": {"DataTableName": "o", "CopyOptions": "credentials 'aws_secret_access_key=s'"})")));
  CHECK(own.warnings.empty());
  CHECK_FALSE(Contains(DeliveryConfigToJson(own.config, Secrets::kHidden), "secret_access_key=s"));
  CHECK(Contains(DeliveryConfigToJson(own.config), "secret_access_key=s"));
}

TEST_CASE("CompareConfigs: what changes of Redshift is told by its own names", "[delivery]") {
  const DeliveryConfig before = Parsed(RedshiftDocument(All())).config;
  DeliveryConfig after = before;
  after.redshift->table = "other";
  after.redshift->password = "Anders99";
  const ConfigChange change = CompareConfigs(before, after, std::nullopt);
  CHECK(change.keys == std::vector<std::string>{"CopyCommand.DataTableName", "Password"});
  CHECK(change.refused.empty());
  after.bucket = "elsewhere";
  CHECK(CompareConfigs(before, after, std::nullopt).keys.back() == "S3Configuration.BucketARN");
}

}  // namespace sluice::delivery
