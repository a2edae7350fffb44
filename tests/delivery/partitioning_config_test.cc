// Dynamic partitioning in the configuration of a delivery stream.
#include <algorithm>
#include <string>

#include "broker/delivery/delivery_config.h"
#include "tests/catch.h"

namespace sluice::delivery {

TEST_CASE("ParseDeliveryConfig: dynamic partitioning, and its canonical form", "[delivery]") {
  const auto parsed = ParseDeliveryConfig(R"({"DeliveryStreamName": "d",
      "ExtendedS3DestinationConfiguration": {"BucketARN": "arn:aws:s3:::lake", "RoleARN": "r",
          "Prefix": "c=!{partitionKeyFromQuery:c}/", "ErrorOutputPrefix": "e/!{firehose:error-output-type}/",
          "ProcessingConfiguration": {"Enabled": true, "Processors": [
              {"Type": "AppendDelimiterToRecord"},
              {"Type": "metadata-extraction", "Parameters": [
                  {"ParameterName": "MetadataExtractionQuery", "ParameterValue": "{c: .c}"},
                  {"ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-1.6"}]}]}},
      "Sluice": {"DeliverySizeMB": 2048}})",
                                          "f.json");
  INFO((parsed ? "" : parsed.error().message()));
  REQUIRE(parsed.has_value());
  CHECK(std::ranges::any_of(parsed->warnings, [](const std::string& warning) {
    return warning.find("is missing beside a Prefix with partition keys; taken as enabled") != warning.npos;
  }));
  const DeliveryConfig& config = parsed->config;
  CHECK(config.dynamic_partitioning);
  CHECK(config.delivery_size_mb == 2048);
  CHECK(config.size_mb == 128);
  CHECK_FALSE(config.delimiter_after_last);
  REQUIRE(config.processors.size() == 1);
  CHECK(config.processors[0].type == "MetadataExtraction");
  const auto again = ParseStoredDeliveryConfig(DeliveryConfigToJson(config));
  REQUIRE(again.has_value());
  CHECK(again->config.processors == config.processors);
  CHECK(DeliveryConfigToJson(again->config) == DeliveryConfigToJson(config));
}

}  // namespace sluice::delivery
