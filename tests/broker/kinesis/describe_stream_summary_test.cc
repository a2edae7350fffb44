// DescribeStreamSummary: all members that clients read, of streams of this door and of others.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("DescribeStreamSummary: a new stream", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.clock().AdvanceMs(999);
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":3,"MaxRecordSizeInKiB":2048})");
  CHECK(core.MustRun("DescribeStreamSummary", R"({"StreamName":"orders"})").body ==
        R"({"StreamDescriptionSummary":{"StreamName":"orders",)"
        R"("StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders","StreamStatus":"ACTIVE",)"
        R"("StreamModeDetails":{"StreamMode":"PROVISIONED"},"StreamCreationTimestamp":1700000000.000,)"
        R"("RetentionPeriodHours":24,"EnhancedMonitoring":[{"ShardLevelMetrics":[]}],"EncryptionType":"NONE",)"
        R"("OpenShardCount":3,"ConsumerCount":0,"MaxRecordSizeInKiB":2048}})");
}

TEST_CASE("DescribeStreamSummary: the ARN is the caller's", "[kinesis]") {
  KinesisCore core;
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const auto arn = [&](const std::string& region) {
    return core
        .RunAs({.account = "123456789012", .region = region, .access_key = ""}, "DescribeStreamSummary",
               R"({"StreamName":"orders"})")
        .At("StreamDescriptionSummary.StreamARN");
  };
  CHECK(arn("eu-west-1") == "arn:aws:kinesis:eu-west-1:123456789012:stream/orders");
  CHECK(arn("cn-north-1") == "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/orders");
  CHECK(arn("us-gov-west-1") == "arn:aws-us-gov:kinesis:us-gov-west-1:123456789012:stream/orders");
}

TEST_CASE("DescribeStreamSummary: retention of native streams in Kinesis's range", "[kinesis]") {
  KinesisCore core;
  const auto hours = [&](std::string_view name, RetentionSettings retention) {
    REQUIRE(core.catalog().Create(name, 1, retention).has_value());
    return core.MustRun("DescribeStreamSummary", R"({"StreamName":")" + std::string(name) + "\"}")
        .At("StreamDescriptionSummary.RetentionPeriodHours");
  };
  CHECK(hours("short", {.age_ms = 60'000, .bytes = {}}) == "24");
  CHECK(hours("uneven", {.age_ms = 100 * 3'600'000 + 1, .bytes = {}}) == "100");
  CHECK(hours("for-ever", {.age_ms = {}, .bytes = 1u << 30}) == "8760");
}

TEST_CASE("DescribeStreamSummary: a stream that is not there", "[kinesis]") {
  KinesisCore core;
  CHECK(core.Run("DescribeStreamSummary", R"({"StreamName":"orders"})").error ==
        ApiError("ResourceNotFoundException", "Stream orders under account 000000000000 not found."));
  CHECK(core.Run("DescribeStreamSummary", "{}").type() == "InvalidArgumentException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
