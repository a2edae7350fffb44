// HttpEndpointDestinationConfiguration in the configuration of a delivery stream.
#include <algorithm>
#include <string>

#include "broker/delivery/config_change.h"
#include "broker/delivery/delivery_config.h"
#include "tests/catch.h"
#include "tests/delivery/config_documents.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kBucket = R"("S3Configuration": {"RoleARN": "r", "BucketARN": "arn:aws:s3:::lake"})";

/// `members` stand on line 3.
std::string HttpDocument(std::string_view members, std::string_view top = "\"Tags\": []") {
  return fmt::format("{{\"DeliveryStreamName\": \"d\", {},\n\"HttpEndpointDestinationConfiguration\": {{\n{}}}}}", top,
                     members);
}

std::string WithUrl(std::string_view more, std::string_view url = "https://h/in") {
  return fmt::format(R"("EndpointConfiguration": {{"Url": "{}"}}, {}{}{})", url, kBucket, more.empty() ? "" : ", ",
                     more);
}

ParsedDeliveryConfig Parsed(std::string_view document) {
  auto parsed = ParseDeliveryConfig(document, "f.json");
  INFO((parsed ? "" : parsed.error().message()));
  REQUIRE(parsed.has_value());
  return *parsed;
}

}  // namespace

TEST_CASE("ParseDeliveryConfig: an HTTP endpoint with everything, and its canonical form", "[delivery]") {
  const ParsedDeliveryConfig parsed = Parsed(HttpDocument(R"("EndpointConfiguration":
      {"Url": "https://h:8443/in?a=b", "Name": "collector", "AccessKey": "secret"},
      "BufferingHints": {"SizeInMBs": 2, "IntervalInSeconds": 0}, "RoleARN": "role",
      "RequestConfiguration": {"ContentEncoding": "gzip", "CommonAttributes": [
          {"AttributeName": "team", "AttributeValue": "a"}, {"AttributeName": "empty", "AttributeValue": ""}]},
      "ProcessingConfiguration": {"Enabled": true, "Processors": [
          {"Type": "Decompression", "Parameters": [{"ParameterName": "CompressionFormat", "ParameterValue": "GZIP"}]}]},
      "RetryOptions": {"DurationInSeconds": 0}, "S3BackupMode": "FailedDataOnly",
      "CloudWatchLoggingOptions": {"Enabled": false}, "SecretsManagerConfiguration": {"Enabled": false},
      "S3Configuration": {"RoleARN": "r", "BucketARN": "arn:aws:s3:::failed", "Prefix": "p/",
          "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300}, "CompressionFormat": "UNCOMPRESSED"})"));
  CHECK(Joined(parsed.warnings) == "");
  const DeliveryConfig& config = parsed.config;
  CHECK(config.endpoint == EndpointConfig{.type = "HttpEndpoint",
                                          .url = "https://h:8443/in?a=b",
                                          .name = "collector",
                                          .access_key = "secret",
                                          .gzip = true,
                                          .attributes = {{"team", "a"}, {"empty", ""}},
                                          .retry_s = 0});
  CHECK(config.size_mb == 2);
  CHECK(config.interval_s == 0);
  CHECK(config.bucket == "failed");
  CHECK(config.error_prefix == "p/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH/}");
  CHECK(config.processors.size() == 1);
  const std::string canonical = DeliveryConfigToJson(config);
  const auto again = ParseStoredDeliveryConfig(canonical);
  INFO((again ? "" : again.error().message()));
  REQUIRE(again.has_value());
  CHECK(again->config.endpoint == config.endpoint);
  CHECK(again->config.processors == config.processors);
  CHECK(DeliveryConfigToJson(again->config) == canonical);
  CHECK(Contains(canonical, R"("AccessKey":"secret")"));
  CHECK_FALSE(Contains(DeliveryConfigToJson(config, Secrets::kHidden), "secret"));
}

TEST_CASE("ParseDeliveryConfig: an HTTP endpoint's defaults", "[delivery]") {
  const DeliveryConfig config = Parsed(HttpDocument(WithUrl(""))).config;
  CHECK(config.endpoint == EndpointConfig{.type = "HttpEndpoint", .url = "https://h/in", .retry_s = 300});
  CHECK(config.size_mb == 5);
  CHECK(config.interval_s == 300);
}

TEST_CASE("ParseDeliveryConfig: an endpoint with a backup of all records, and its canonical form", "[delivery]") {
  const ParsedDeliveryConfig parsed = Parsed(HttpDocument(R"("EndpointConfiguration": {"Url": "https://h"},
      "S3BackupMode": "AllData", "RoleARN": "role",
      "S3Configuration": {"RoleARN": "r", "BucketARN": "arn:aws:s3:::all", "Prefix": "p/", "CompressionFormat": "GZIP",
          "BufferingHints": {"SizeInMBs": 7, "IntervalInSeconds": 60}})"));
  CHECK(Joined(parsed.warnings) == "");
  const DeliveryConfig& config = parsed.config;
  REQUIRE(config.backup.has_value());
  CHECK(*config.backup == BackupConfig{.role_arn = "r",
                                       .error_prefix = config.error_prefix,
                                       .interval_s = 60,
                                       .bucket = "all",
                                       .prefix = "p/",
                                       .size_mb = 7,
                                       .compression = RawCompression::kGzip});
  CHECK(config.bucket == "all");
  const std::string canonical = DeliveryConfigToJson(config);
  CHECK(Contains(canonical, R"("S3BackupMode":"AllData")"));
  const auto again = ParseStoredDeliveryConfig(canonical);
  REQUIRE(again.has_value());
  CHECK(again->config.backup == config.backup);
  CHECK(DeliveryConfigToJson(again->config) == canonical);
}

TEST_CASE("ParseDeliveryConfig: what is passed over with a warning beside an endpoint", "[delivery]") {
  const auto warned = [](std::string_view document, std::string_view warning) {
    const std::string warnings = Joined(Parsed(document).warnings);
    INFO(warnings);
    CHECK(Contains(warnings, warning));
  };
  warned(HttpDocument(WithUrl("", "http://h/in")), "EndpointConfiguration.Url: is http://");
  warned(HttpDocument(WithUrl(R"("ProcessingConfiguration": {"Enabled": true, "Processors":
      [{"Type": "AppendDelimiterToRecord"}]})")),
         "AppendDelimiterToRecord is passed over: an endpoint is given each record by itself");
  warned(HttpDocument(WithUrl(""), R"("Sluice": {"Delimiter": "|"})"), "an endpoint is given each record by itself");
  warned(HttpDocument(R"("EndpointConfiguration": {"Url": "https://h"},
      "S3Configuration": {"RoleARN": "r", "BucketARN": "arn:aws:s3:::lake", "CompressionFormat": "GZIP"})"),
         "error objects are not compressed");
  warned(fmt::format(R"({{"DeliveryStreamName": "d", "ElasticsearchDestinationConfiguration":
      {{"ClusterEndpoint": "https://h", "IndexName": "i", "VpcConfiguration": {{}}, {}}}}})",
                     kBucket),
         "VpcConfiguration: is passed over: there is no VPC");
}

TEST_CASE("ParseDeliveryConfig: what an HTTP endpoint cannot be", "[delivery]") {
  const auto [members, top, message] = GENERATE(table<std::string, std::string, std::string>({
      {std::string(kBucket), "", "EndpointConfiguration: is missing"},
      {R"("EndpointConfiguration": {"Url": "https://h"})", "", "S3Configuration: is missing"},
      {R"("EndpointConfiguration": {}, )" + std::string(kBucket), "", "EndpointConfiguration.Url: is missing"},
      {WithUrl("", "ftp://h"), "", "Url: must begin with https://"},
      {WithUrl("", "https://h/a b"), "", "Url: must begin with https://"},
      {R"("EndpointConfiguration": {"Url": "https://h", "AccessKey": "a\nb"}, )" + std::string(kBucket), "",
       "AccessKey: has a line break"},
      {WithUrl(R"("BufferingHints": {"SizeInMBs": 65})"), "", "SizeInMBs: must be between 1 and 64"},
      {WithUrl(R"("RetryOptions": {"DurationInSeconds": 7201})"), "", "must be between 0 and 7200"},
      {WithUrl(R"("RequestConfiguration": {"ContentEncoding": "ZIP"})"), "", "'ZIP' is neither NONE nor GZIP"},
      {WithUrl(R"("RequestConfiguration": {"CommonAttributes": [{"AttributeName": "a"}, {"AttributeName": "a"}]})"), "",
       "AttributeName: 'a' stands twice"},
      {WithUrl(R"("RequestConfiguration": {"CommonAttributes": [{"AttributeValue": "a"}]})"), "",
       "AttributeName: is missing"},
      {R"("EndpointConfiguration": {"Url": "https://h"}, "S3BackupMode": "AllData", "S3Configuration":
          {"RoleARN": "r", "BucketARN": "arn:aws:s3:::b", "Prefix": "!{partitionKeyFromQuery:a}/", "ErrorOutputPrefix": "e/"})",
       "", "Prefix: holds partition keys"},
      {WithUrl(R"("S3BackupMode": "Enabled")"), "", "must be FailedDataOnly or AllData"},
      {WithUrl(R"("SecretsManagerConfiguration": {"Enabled": true})"), "",
       "SecretARN: is missing: it names the secret"},
      {WithUrl(R"("SecretsManagerConfiguration": {"Enabled": false, "SecretARN": "a:b"})"), "",
       "SecretARN: 'a:b' is neither arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME nor a secret's name"},
      {WithUrl(R"("SecretsManagerConfiguration": {"Enabled": true, "SecretARN": "../key"})"), "",
       "'../key' is neither"},
      {WithUrl(R"("SecretsManagerConfiguration": {"Enabled": true, "SecretArn": "s", "Key": "k"})"), "",
       "Key: unknown key"},
      {WithUrl(R"("Urls": 1)"), "", "Urls: unknown key"},
      {WithUrl(""), R"("S3DestinationConfiguration": {"RoleARN": "r", "BucketARN": "arn:aws:s3:::lake"})",
       "exactly one destination is possible; S3DestinationConfiguration stands here too"},
      {WithUrl(""), R"("Sluice": {"FileSizeMB": 5})", "records go to an endpoint"},
      {WithUrl(""), R"("Sluice": {"SortBy": ["a"]})", "DataFormatConversionConfiguration is not enabled"},
  }));
  const auto parsed = ParseDeliveryConfig(HttpDocument(members, top.empty() ? "\"Tags\": []" : top), "f.json");
  REQUIRE_FALSE(parsed.has_value());
  INFO(parsed.error().message());
  CHECK(Contains(parsed.error().message(), message));
}

TEST_CASE("ParseDeliveryConfig: a secret in place of keys, and its canonical form", "[delivery]") {
  constexpr std::string_view kSecret =
      R"("SecretsManagerConfiguration": {"Enabled": true, "SecretARN": "prod/key", "RoleARN": "role"})";
  const SecretConfig expected{.enabled = true, .arn = "prod/key", .role_arn = "role"};
  const auto read = [&](std::string_view document) {
    const ParsedDeliveryConfig parsed = Parsed(document);
    CHECK(Joined(parsed.warnings) == "");
    CHECK(parsed.config.endpoint.secret == expected);
    const std::string canonical = DeliveryConfigToJson(parsed.config);
    CHECK(Contains(canonical,
                   R"("SecretsManagerConfiguration":{"Enabled":true,"SecretARN":"prod/key","RoleARN":"role"})"));
    const auto again = ParseStoredDeliveryConfig(canonical);
    INFO((again ? "" : again.error().message()));
    REQUIRE(again.has_value());
    CHECK(again->config.endpoint == parsed.config.endpoint);
    CHECK(DeliveryConfigToJson(again->config) == canonical);
    return parsed.config;
  };
  const DeliveryConfig before = read(HttpDocument(WithUrl(kSecret)));
  read(fmt::format(R"({{"DeliveryStreamName": "d", "SplunkDestinationConfiguration": {{
      "HECEndpoint": "https://h", "HECEndpointType": "Raw", {}, {}}}}})",
                   kSecret, kBucket));
  DeliveryConfig after = before;
  after.endpoint.secret.arn = "other";
  CHECK(CompareConfigs(before, after, std::nullopt).keys ==
        std::vector<std::string>{"SecretsManagerConfiguration.SecretARN"});
  const ParsedDeliveryConfig half =
      Parsed(HttpDocument(WithUrl(R"("SecretsManagerConfiguration": {"SecretARN": "s"})")));
  CHECK(half.config.endpoint.secret.enabled);
  CHECK(Contains(Joined(half.warnings), "SecretsManagerConfiguration.Enabled: is missing; taken as true"));
  const DeliveryConfig off =
      Parsed(HttpDocument(WithUrl(R"("SecretsManagerConfiguration": {"Enabled": false, "SecretARN": "s"})"))).config;
  CHECK(off.endpoint.secret == SecretConfig{.enabled = false, .arn = "s"});
}

TEST_CASE("CompareConfigs: keys of an endpoint without its member in front", "[delivery]") {
  const DeliveryConfig before = Parsed(HttpDocument(WithUrl(""))).config;
  DeliveryConfig after = before;
  after.endpoint.access_key = "k";
  after.endpoint.retry_s = 1;
  CHECK(CompareConfigs(before, after, std::nullopt).keys ==
        std::vector<std::string>{"EndpointConfiguration.AccessKey", "RetryOptions.DurationInSeconds"});
}

TEST_CASE("ParseDeliveryConfig: Splunk, and its canonical form", "[delivery]") {
  const auto document = [](std::string_view members) {
    return fmt::format(R"({{"DeliveryStreamName": "d", "SplunkDestinationConfiguration": {{{}, {}}}}})", members,
                       kBucket);
  };
  const ParsedDeliveryConfig parsed = Parsed(document(
      R"("HECEndpoint": "https://h", "HECToken": "secret", "HECEndpointType": "event", "HECAcknowledgmentTimeoutInSeconds": 600,
         "ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "AppendDelimiterToRecord"}]})"));
  CHECK(Joined(parsed.warnings) == "");
  const DeliveryConfig& config = parsed.config;
  CHECK(config.endpoint == EndpointConfig{.type = "Splunk",
                                          .url = "https://h",
                                          .access_key = "secret",
                                          .retry_s = 3600,
                                          .splunk_events = true,
                                          .splunk_ack_s = 600});
  CHECK(config.interval_s == 60);
  CHECK_FALSE(config.delimiter_after_last);
  const std::string canonical = DeliveryConfigToJson(config);
  CHECK(DeliveryConfigToJson(ParseStoredDeliveryConfig(canonical)->config) == canonical);
  CHECK_FALSE(Contains(DeliveryConfigToJson(config, Secrets::kHidden), "secret"));
  const DeliveryConfig plain =
      Parsed(document(R"("HECEndpoint": "https://h", "HECToken": "t", "HECEndpointType": "Raw")")).config;
  CHECK(plain.delimiter == "\n");
  CHECK(plain.delimiter_after_last);
  CHECK(plain.endpoint.splunk_ack_s == 180);
  const auto bad =
      ParseDeliveryConfig(document(R"("HECEndpointType": "x", "BufferingHints": {"SizeInMBs": 6})"), "f.json");
  REQUIRE_FALSE(bad.has_value());
  for (const char* message : {"HECEndpoint: is missing", "HECToken: is missing", "'x' is neither Raw nor Event",
                              "SizeInMBs: must be between 1 and 5"}) {
    CHECK(Contains(bad.error().message(), message));
  }
}

TEST_CASE("ParseDeliveryConfig: OpenSearch and Elasticsearch, and their canonical form", "[delivery]") {
  for (const std::string_view kind : {"Amazonopensearchservice", "Elasticsearch"}) {
    const auto document = [&](std::string_view members) {
      return fmt::format(R"({{"DeliveryStreamName": "d", "{}DestinationConfiguration": {{{}, {}}}}})", kind, members,
                         kBucket);
    };
    const DeliveryConfig config =
        Parsed(document(R"("ClusterEndpoint": "https://user:secret@h:9200", "IndexName": "orders", "TypeName": "doc",
            "RoleARN": "r", "IndexRotationPeriod": "oneweek", "DocumentIdOptions": {"DefaultDocumentIdFormat": "NO_DOCUMENT_ID"})"))
            .config;
    CHECK(config.endpoint == EndpointConfig{.type = std::string(kind),
                                            .url = "https://user:secret@h:9200",
                                            .retry_s = 300,
                                            .index = "orders",
                                            .index_type = "doc",
                                            .rotation = IndexRotation::kWeek,
                                            .document_ids = false});
    const std::string canonical = DeliveryConfigToJson(config);
    CHECK(DeliveryConfigToJson(ParseStoredDeliveryConfig(canonical)->config) == canonical);
    CHECK(Contains(DeliveryConfigToJson(config, Secrets::kHidden), R"("ClusterEndpoint":"https://h:9200")"));
    const auto bad = ParseDeliveryConfig(document(R"("DomainARN": "d", "IndexName": "_x", "IndexRotationPeriod": "x",
        "DocumentIdOptions": {"DefaultDocumentIdFormat": "x"}, "TypeName": "a b")"),
                                         "f.json");
    REQUIRE_FALSE(bad.has_value());
    for (const char* message : {"DomainARN: 'd' is not arn:aws:es:REGION:ACCOUNT:domain/NAME",
                                "IndexName: '_x' can be no index", "'x' is none of NoRotation",
                                "'x' is neither FIREHOSE_DEFAULT nor NO_DOCUMENT_ID", "TypeName: must be letters"}) {
      CHECK(Contains(bad.error().message(), message));
    }
  }
}

TEST_CASE("ParseDeliveryConfig: a domain in place of a cluster's address, and its canonical form", "[delivery]") {
  const auto document = [](std::string_view members) {
    return fmt::format(R"({{"DeliveryStreamName": "d", "ElasticsearchDestinationConfiguration": {{"RoleARN": "r",
        "IndexName": "orders", {}, {}}}}})",
                       members, kBucket);
  };
  constexpr std::string_view kDomain = R"("DomainARN": "arn:aws:es:eu-west-1:123456789012:domain/orders")";
  const DeliveryConfig config = Parsed(document(kDomain)).config;
  CHECK(config.endpoint.domain_arn == "arn:aws:es:eu-west-1:123456789012:domain/orders");
  CHECK(config.endpoint.url.empty());
  const std::string canonical = DeliveryConfigToJson(config);
  CHECK(Contains(canonical, R"("DomainARN":"arn:aws:es:eu-west-1:123456789012:domain/orders")"));
  CHECK_FALSE(Contains(canonical, "ClusterEndpoint"));
  CHECK(ParseStoredDeliveryConfig(canonical)->config.endpoint == config.endpoint);
  const auto problem = [&](std::string_view members) {
    const auto parsed = ParseDeliveryConfig(document(members), "f.json");
    return parsed ? std::string("none") : parsed.error().message();
  };
  CHECK(Contains(problem(fmt::format(R"({}, "ClusterEndpoint": "https://h")", kDomain)),
                 "DomainARN: stands beside ClusterEndpoint; give one of them"));
  CHECK(Contains(problem(R"("TypeName": "t")"), "ClusterEndpoint: is missing"));
  for (const std::string_view bad :
       {"orders", "arn:aws:es:eu-west-1:123456789012:domain/", "arn:aws:s3:::domain/orders"})
    CHECK(Contains(problem(fmt::format(R"("DomainARN": "{}")", bad)), "is not arn:aws:es:REGION:ACCOUNT:domain/NAME"));
}

}  // namespace sluice::delivery
