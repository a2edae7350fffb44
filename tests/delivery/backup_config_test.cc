// The backup of source records in configuration files.
#include "broker/delivery/backup_config.h"

#include "tests/catch.h"
#include "tests/delivery/config_documents.h"

namespace sluice::delivery {
namespace {

std::string BackupIn(std::string_view place) {
  return fmt::format(R"("Prefix": "a/", "S3BackupMode": "Enabled", "S3BackupConfiguration": {{{}}})", place);
}

Result<ParsedDeliveryConfig> Parse(std::string_view destination, std::string_view top = "\"Tags\": []") {
  return ParseDeliveryConfig(Document(destination, top), "f.json");
}

TEST_CASE("ReadBackup: every field, and the canonical form of it", "[delivery]") {
  const auto parsed =
      Parse(BackupIn(R"("RoleARN": "r", "BucketARN": "spare", "Prefix": "/raw/", "ErrorOutputPrefix": "e/",
      "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 900}, "CompressionFormat": "gzip",
      "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"}, "CloudWatchLoggingOptions": {"Enabled": false})"),
            R"("Sluice": {"BackupDelimiter": ""})");
  REQUIRE(parsed.has_value());
  const BackupConfig expected{.role_arn = "r",
                              .error_prefix = "e/",
                              .interval_s = 900,
                              .bucket = "spare",
                              .prefix = "raw/",
                              .size_mb = 64,
                              .compression = RawCompression::kGzip,
                              .delimiter = ""};
  CHECK(parsed->config.backup == expected);
  const std::string warnings = Joined(parsed->warnings);
  for (const std::string_view warning : {"S3BackupConfiguration.BucketARN: taken as arn:aws:s3:::spare",
                                         "S3BackupConfiguration.Prefix: taken without the '/' in front",
                                         "S3BackupConfiguration.CompressionFormat: 'gzip' is taken as GZIP"})
    CHECK(Contains(warnings, warning));
  const std::string canonical = DeliveryConfigToJson(parsed->config);
  const auto again = ParseDeliveryConfig(canonical, "canonical.json");
  REQUIRE(again.has_value());
  CHECK(again->config.backup == expected);
  CHECK(DeliveryConfigToJson(again->config) == canonical);
}

TEST_CASE("ReadBackup: what is not given, and what is passed over", "[delivery]") {
  const auto smallest = Parse(BackupIn(R"("BucketARN": "arn:aws:s3:::spare")"));
  REQUIRE(smallest.has_value());
  CHECK(smallest->config.backup == BackupConfig{.bucket = "spare"});
  CHECK(smallest->config.backup->delimiter == "\n");
  const auto off = Parse(R"("S3BackupMode": "Disabled", "S3BackupConfiguration": {"BucketARN": "x"})",
                         R"("Sluice": {"BackupDelimiter": ""})");
  REQUIRE(off.has_value());
  CHECK_FALSE(off->config.backup.has_value());
  CHECK(Contains(Joined(off->warnings), "S3BackupConfiguration: is passed over: S3BackupMode is not Enabled"));
  CHECK(Contains(Joined(off->warnings), "f.json:2: Sluice.BackupDelimiter: is passed over"));
  const auto among = Parse(BackupIn(R"("BucketARN": "arn:aws:s3:::lake", "Prefix": "a/")"));
  REQUIRE(among.has_value());
  CHECK(Contains(Joined(among->warnings), "who reads there finds each record twice"));
}

TEST_CASE("ReadBackup: mistakes name the key", "[delivery]") {
  const auto [destination, message] = GENERATE(table<std::string, std::string>({
      {R"("S3BackupMode": "Enabled")",
       "f.json:6: ExtendedS3DestinationConfiguration.S3BackupConfiguration: is missing: where shall the source "
       "records"},
      {R"("S3BackupMode": "FailedDataOnly")", "S3BackupMode: must be Disabled or Enabled"},
      {BackupIn(""), "S3BackupConfiguration.BucketARN: is missing"},
      {BackupIn(R"("BucketARN": "b", "Prefix": "!{partitionKeyFromQuery:a}/")"),
       "S3BackupConfiguration.Prefix: holds partition keys"},
      {BackupIn(R"("BucketARN": "b", "Prefix": "!{x:y}")"), "S3BackupConfiguration.Prefix: in the expression"},
      {BackupIn(R"("BucketARN": "b", "CompressionFormat": "zstd")"),
       "S3BackupConfiguration.CompressionFormat: 'zstd' is"},
      {BackupIn(R"("BucketARN": "b", "BufferingHints": {"SizeInMBs": 0})"), "BufferingHints.SizeInMBs: must be"},
      {BackupIn(R"("BucketARN": "b", "FileExtension": ".x")"), "S3BackupConfiguration.FileExtension"},
  }));
  const auto parsed = Parse(destination);
  REQUIRE_FALSE(parsed.has_value());
  INFO(parsed.error().message());
  CHECK(Contains(parsed.error().message(), message));
}

}  // namespace
}  // namespace sluice::delivery
