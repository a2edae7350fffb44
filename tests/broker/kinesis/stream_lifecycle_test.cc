// The states that streams pass where they are to: what is told, what is refused, and that none of it lasts.
#include "broker/api/kinesis/stream_lifecycle.h"

#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

constexpr std::string_view kOrders = R"({"StreamName":"orders"})";

struct SlowCore : KinesisCore {
  explicit SlowCore(const KinesisOptions& options, Encoding encoding = Encoding::kJson)
      : KinesisCore(encoding, 1, {}, options) {}

  std::string Status() {
    const Reply reply = Run("DescribeStreamSummary", std::string(kOrders));
    return reply.error ? "" : reply.At("StreamDescriptionSummary.StreamStatus");
  }
  Reply Create(std::string_view name = "orders") {
    return Run("CreateStream", R"({"StreamName":")" + std::string(name) + R"(","ShardCount":2})");
  }
  Reply TryPut() { return Run("PutRecord", R"({"StreamName":"orders","PartitionKey":"k","Data":""})"); }
  Reply Keep(int hours) {
    return Run("IncreaseStreamRetentionPeriod",
               R"({"StreamName":"orders","RetentionPeriodHours":)" + std::to_string(hours) + "}");
  }
};

TEST_CASE("StreamLifecycle: CREATING streams have no shards and take no records", "[kinesis]") {
  SlowCore core({.create_delay_ms = 5'000}, GENERATE(Encoding::kJson, Encoding::kCbor));
  REQUIRE(!core.Create().error);
  CHECK(core.Status() == "CREATING");
  const Reply described = core.MustRun("DescribeStream", std::string(kOrders));
  CHECK(described.At("StreamDescription.StreamStatus") == "CREATING");
  CHECK(described.At("StreamDescription.Shards") == "0");
  CHECK(core.MustRun("DescribeStreamSummary", std::string(kOrders))
            .At("StreamDescriptionSummary.OpenShardCount")
            .empty());
  CHECK(core.MustRun("ListStreams", "{}").At("StreamSummaries.0.StreamStatus") == "CREATING");
  const ApiError not_there("ResourceNotFoundException", "Stream orders under account 000000000000 not found.");
  const ApiError not_active("ResourceInUseException",
                            "Stream orders under account 000000000000 not ACTIVE, instead in state CREATING");
  CHECK(core.TryPut().error == not_there);
  CHECK(core.Run("GetShardIterator", R"({"StreamName":"orders","ShardId":"0","ShardIteratorType":"LATEST"})").error ==
        not_there);
  CHECK(core.Run("ListShards", std::string(kOrders)).error == not_active);
  CHECK(core.Keep(48).error == not_active);
  CHECK(!core.Run("AddTagsToStream", R"({"StreamName":"orders","Tags":{"a":"b"}})").error);
  core.clock().AdvanceMs(4'999);
  CHECK(core.Status() == "CREATING");
  core.clock().AdvanceMs(1);
  CHECK(core.Status() == "ACTIVE");
  CHECK(!core.TryPut().error);
  CHECK(core.MustRun("DescribeStream", std::string(kOrders)).At("StreamDescription.Shards") == "2");
}

TEST_CASE("StreamLifecycle: five streams are CREATING at most, and go when they are deleted", "[kinesis]") {
  SlowCore core({.create_delay_ms = 5'000});
  for (int i = 0; i < 5; ++i) REQUIRE(!core.Create("s" + std::to_string(i)).error);
  CHECK(core.Create().type() == "LimitExceededException");
  CHECK(!core.Run("DeleteStream", R"({"StreamName":"s0"})").error);
  CHECK(!core.Create().error);
  CHECK(core.Create("more").type() == "LimitExceededException");
  core.clock().AdvanceMs(5'000);
  CHECK(!core.Create("more").error);
}

TEST_CASE("StreamLifecycle: UPDATING streams are told as they were and refuse the next change", "[kinesis]") {
  SlowCore core({.update_delay_ms = 5'000}, GENERATE(Encoding::kJson, Encoding::kCbor));
  REQUIRE(!core.Create().error);
  const auto hours = [&] {
    return core.MustRun("DescribeStream", std::string(kOrders)).At("StreamDescription.RetentionPeriodHours");
  };
  CHECK(!core.Keep(24).error);  // no change
  CHECK(core.Status() == "ACTIVE");
  CHECK(!core.Keep(48).error);
  CHECK(core.Status() == "UPDATING");
  CHECK(hours() == "24");
  CHECK(core.Keep(72).error ==
        ApiError("ResourceInUseException",
                 "Stream orders under account 000000000000 not ACTIVE, instead in state UPDATING"));
  CHECK(core.Run("EnableEnhancedMonitoring", R"({"StreamName":"orders","ShardLevelMetrics":["ALL"]})").type() ==
        "ResourceInUseException");
  CHECK(!core.TryPut().error);
  CHECK(!core.Run("ListShards", std::string(kOrders)).error);
  core.clock().AdvanceMs(5'000);
  CHECK(core.Status() == "ACTIVE");
  CHECK(hours() == "48");
  CHECK(!core.Keep(72).error);
  core.Restart();
  CHECK(core.Status() == "ACTIVE");
  CHECK(hours() == "72");
}

TEST_CASE("StreamLifecycle: a stream that is resharded is UPDATING", "[kinesis]") {
  SlowCore core({.update_delay_ms = 5'000}, GENERATE(Encoding::kJson, Encoding::kCbor));
  REQUIRE(!core.Create().error);
  const std::string merge =
      R"({"StreamName":"orders","ShardToMerge":"shardId-000000000000","AdjacentShardToMerge":"shardId-000000000001"})";
  const std::string split = R"({"StreamName":"orders","ShardToSplit":"shardId-000000000002","NewStartingHashKey":"7"})";
  const std::string resize = R"({"StreamName":"orders","TargetShardCount":2,"ScalingType":"UNIFORM_SCALING"})";
  REQUIRE(!core.Run("MergeShards", merge).error);
  CHECK(core.Status() == "UPDATING");
  const ApiError updating("ResourceInUseException",
                          "Stream orders under account 000000000000 not ACTIVE, instead in state UPDATING");
  CHECK(core.Run("SplitShard", split).error == updating);
  CHECK(core.Run("UpdateShardCount", resize).error == updating);
  core.clock().AdvanceMs(5'000);
  REQUIRE(!core.Run("SplitShard", split).error);
  CHECK(core.Status() == "UPDATING");
  core.clock().AdvanceMs(5'000);
  REQUIRE(
      !core.Run("UpdateShardCount", R"({"StreamName":"orders","TargetShardCount":3,"ScalingType":"UNIFORM_SCALING"})")
           .error);
  CHECK(core.Run("MergeShards", merge).error == updating);
}

TEST_CASE("StreamLifecycle: the name of a DELETING stream is not free", "[kinesis]") {
  SlowCore core({.delete_delay_ms = 5'000}, GENERATE(Encoding::kJson, Encoding::kCbor));
  REQUIRE(!core.Create().error);
  REQUIRE(!core.Create("pears").error);
  REQUIRE(!core.Run("DeleteStream", std::string(kOrders)).error);
  CHECK(core.Status() == "DELETING");
  const Reply list = core.MustRun("ListStreams", "{}");
  CHECK(list.At("StreamNames") == "2");
  CHECK(list.At("StreamSummaries.0.StreamStatus") == "DELETING");
  CHECK(core.TryPut().type() == "ResourceNotFoundException");
  CHECK(core.Keep(48).message() == "Stream orders under account 000000000000 not ACTIVE, instead in state DELETING");
  CHECK(core.Run("AddTagsToStream", R"({"StreamName":"orders","Tags":{"a":"b"}})").type() ==
        "ResourceNotFoundException");
  CHECK(core.Create().error ==
        ApiError("ResourceInUseException", "Stream orders under account 000000000000 already exists."));
  CHECK(!core.Run("DeleteStream", std::string(kOrders)).error);
  core.clock().AdvanceMs(5'000);
  CHECK(core.Status().empty());
  CHECK(core.MustRun("ListStreams", "{}").At("StreamNames") == "1");
  CHECK(!core.Create().error);
  REQUIRE(!core.Run("DeleteStream", std::string(kOrders)).error);
  core.Restart();
  CHECK(!core.Create().error);
}

}  // namespace
}  // namespace sluice::broker::kinesis
