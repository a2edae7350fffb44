// DescribeStream: a stream with pages of its shards.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("DescribeStream: a stream with its shards", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","StreamModeDetails":{"StreamMode":"ON_DEMAND"}})");
  const Reply reply = core.MustRun("DescribeStream", R"({"StreamName":"orders"})");
  CHECK(reply.body.starts_with(
      R"({"StreamDescription":{"StreamName":"orders",)"
      R"("StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders","StreamStatus":"ACTIVE",)"
      R"("StreamModeDetails":{"StreamMode":"ON_DEMAND"},"StreamCreationTimestamp":1700000000.000,)"
      R"("RetentionPeriodHours":24,"EnhancedMonitoring":[{"ShardLevelMetrics":[]}],"EncryptionType":"NONE",)"
      R"("Shards":[{"ShardId":"shardId-000000000000",)"));
  CHECK(reply.At("StreamDescription.Shards") == "4");
  CHECK(reply.At("StreamDescription.HasMoreShards") == "false");
}

TEST_CASE("DescribeStream: pages", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":101})");
  const Reply first = core.MustRun("DescribeStream", R"({"StreamName":"orders"})");
  CHECK(first.At("StreamDescription.Shards") == "100");
  CHECK(first.At("StreamDescription.HasMoreShards") == "true");
  const Reply rest = core.MustRun(
      "DescribeStream", R"({"StreamName":"orders","ExclusiveStartShardId":"shardId-000000000098","Limit":2})");
  CHECK(rest.At("StreamDescription.Shards.0.ShardId") == "shardId-000000000099");
  CHECK(rest.At("StreamDescription.HasMoreShards") == "false");
  CHECK(core.Run("DescribeStream", R"({"StreamName":"orders","ExclusiveStartShardId":"x"})").message() ==
        "Could not find shard x in stream orders under account 000000000000.");
}

// StreamName and ConsumerARN are looked at by what operations share, and not all of them have both.
TEST_CASE("Operations: members that they do not have are passed over", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const std::string arn = "arn:aws:kinesis:us-east-1:000000000000:stream/orders";
  const std::string other = GENERATE("1", "true", R"(["x"])", R"({"x":1})", R"("elsewhere")");
  for (const std::string operation : {"DescribeStream", "DescribeStreamSummary"}) {
    core.MustRun(operation, R"({"StreamName":"orders","ConsumerARN":)" + other + "}");
  }
  const std::string by_arn = R"({"StreamARN":")" + arn + R"(","StreamName":)" + other;
  core.MustRun("RegisterStreamConsumer", by_arn + R"(,"ConsumerName":"billing"})");
  core.MustRun("DescribeStreamConsumer", by_arn + R"(,"ConsumerName":"billing"})");
  core.MustRun("ListStreamConsumers", by_arn + "}");
  core.MustRun("DeregisterStreamConsumer", by_arn + R"(,"ConsumerName":"billing"})");
  core.MustRun("UpdateMaxRecordSize", by_arn + R"(,"MaxRecordSizeInKiB":2048})");
  core.MustRun("UpdateStreamMode", by_arn + R"(,"StreamModeDetails":{"StreamMode":"ON_DEMAND"}})");
}

}  // namespace
}  // namespace sluice::broker::kinesis
