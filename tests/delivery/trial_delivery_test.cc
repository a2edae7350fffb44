// What a trial makes of records: the objects that a delivery stream would write, without anything that stays.
#include "broker/delivery/trial_delivery.h"

#include <algorithm>
#include <atomic>

#include "broker/delivery/config_change.h"
#include "storage/env/memory_env.h"
#include "tests/catch.h"

namespace sluice::delivery {
namespace {

struct Trial {
  explicit Trial(std::string_view document) {
    auto parsed = ParseDeliveryConfig(document, "trial.json");
    REQUIRE(parsed.has_value());
    config = std::move(parsed->config);
    env.manual_clock().SetWallMs(1'790'000'000'000);
  }
  Result<TrialOutcome> Run(std::vector<std::string> records) {
    return TryDelivery(config, std::move(records),
                       {.env = env,
                        .work_dir = "/data/samples",
                        .load_zone = [](const std::string&) { return Result<TimeZone>(TimeZone::Utc()); },
                        .processors = {.stopping = &stopping},
                        .base = base});
  }
  TrialOutcome Outcome(std::vector<std::string> records) {
    Result<TrialOutcome> outcome = Run(std::move(records));
    INFO((outcome ? "" : outcome.error().message()));
    REQUIRE(outcome.has_value());
    return std::move(*outcome);
  }

  DeliveryConfig config;
  storage::MemoryEnv env;
  std::optional<TrialBase> base;
  std::atomic<bool> stopping = false;
};

std::string Document(std::string_view destination, std::string_view sluice = "{}") {
  return std::string(R"({"DeliveryStreamName":"d","ExtendedS3DestinationConfiguration":{"RoleARN":"r",)") +
         R"("BucketARN":"arn:aws:s3:::lake",)" + std::string(destination) + R"(},"Sluice":)" + std::string(sluice) +
         "}";
}

const std::string kConverted =
    Document(R"("DataFormatConversionConfiguration":{"OutputFormatConfiguration":{"Serializer":{"ParquetSerDe":{}}}})");

}  // namespace

TEST_CASE("TryDelivery: rows, columns and errors of a conversion, and nothing is left", "[delivery]") {
  Trial trial(kConverted);
  const TrialOutcome outcome = trial.Outcome({R"({"id":1,"at":"2026-09-21T10:00:00Z"})", "no json", R"({"id":2})"});
  CHECK(outcome.totals.records == 3);
  CHECK(outcome.totals.rows == 2);
  CHECK(outcome.totals.errors == 1);
  REQUIRE(outcome.objects.size() == 2);
  CHECK(outcome.objects[0].key.starts_with("2026/09/21/"));
  CHECK(outcome.objects[0].key.ends_with(".parquet"));
  CHECK(outcome.objects[0].bytes.starts_with("PAR1"));
  CHECK(outcome.objects[1].error);
  CHECK(outcome.objects[1].key.starts_with("format-conversion-failed/2026/09/21/"));
  REQUIRE(outcome.schema.has_value());
  REQUIRE(outcome.schema->columns.size() == 2);
  CHECK(ToHiveType(outcome.schema->columns[1].type) == "timestamp");
  CHECK_FALSE(trial.env.Exists("/data/samples/d.spill").value());
}

TEST_CASE("TryDelivery: an object for each partition, and an error for what has none", "[delivery]") {
  Trial trial(Document(
      R"("Prefix":"c=!{partitionKeyFromQuery:c}/","ErrorOutputPrefix":"bad/!{firehose:error-output-type}/",)"
      R"("DynamicPartitioningConfiguration":{"Enabled":true},"ProcessingConfiguration":{"Enabled":true,"Processors":[)"
      R"({"Type":"MetadataExtraction","Parameters":[{"ParameterName":"MetadataExtractionQuery","ParameterValue":"{c: .c}"},)"
      R"({"ParameterName":"JsonParsingEngine","ParameterValue":"JQ-1.6"}]}]})"));
  const TrialOutcome outcome = trial.Outcome({R"({"c":"a"})", R"({"c":"b"})", R"({"c":"a","n":2})", R"({"n":3})"});
  REQUIRE(outcome.objects.size() == 3);
  CHECK(outcome.objects[0].key.starts_with("c=a/d-1-"));
  CHECK(outcome.objects[0].bytes == "{\"c\":\"a\"}\n{\"c\":\"a\",\"n\":2}\n");
  CHECK(outcome.objects[1].key.starts_with("c=b/d-1-"));
  CHECK(outcome.objects[2].key.starts_with("bad/processing-failed/d-1-"));
  CHECK(outcome.objects[2].bytes.find("DynamicPartitioning.MetadataExtractionFailed") != std::string::npos);
}

TEST_CASE("TryDelivery: goes on with the version and the schema of the delivery stream that is there", "[delivery]") {
  Trial trial(kConverted);
  const std::vector<std::string_view> earlier = {R"({"old":1})"};
  DeliveryIdentity identity;
  identity.uid = "u";
  identity.source = StreamId(7);
  identity.version = 4;
  identity.paused = true;
  identity.config_json = DeliveryConfigToJson(trial.config);
  trial.base = TrialBase{.identity = identity, .schema = *InferSchema(earlier, {})};
  TrialOutcome outcome = trial.Outcome({R"({"new":1})"});
  CHECK(outcome.objects.at(0).key.find("/d-4-") != std::string::npos);
  REQUIRE(outcome.schema->columns.size() == 2);
  CHECK(outcome.schema->columns[0].name == "old");
  CHECK(outcome.schema->version == 2);
  trial.config.prefix = "other/";
  outcome = trial.Outcome({R"({"new":1})"});
  CHECK(outcome.objects.at(0).key.starts_with("other/2026/"));
  CHECK(outcome.objects.at(0).key.find("/d-5-") != std::string::npos);
}

TEST_CASE("TryDelivery: says what a delivery would wait for, and ends", "[delivery]") {
  Trial trial(Document(R"("ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"Lambda","Parameters":[)"
                       R"({"ParameterName":"LambdaArn","ParameterValue":"http://127.0.0.1:9/f"},)"
                       R"({"ParameterName":"NumberOfRetries","ParameterValue":"0"}]}]})"));
  const Result<TrialOutcome> outcome = trial.Run({"x"});
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().code() == Code::kUnavailable);
  CHECK(outcome.error().message().find("the Lambda cannot be reached") != std::string::npos);
}

}  // namespace sluice::delivery
