// The states that streams and their consumers pass where they are to: what is told, what is refused, and that none of
// it lasts.
#include "broker/api/kinesis/stream_lifecycle.h"

#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

constexpr std::string_view kOrders = R"({"StreamName":"orders"})";
const std::string kArns = "arn:aws:kinesis:us-east-1:000000000000:stream/";

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
  Reply Register(std::string_view consumer, std::string_view stream = "orders") {
    return RunConsumer("RegisterStreamConsumer", consumer, stream);
  }
  Reply Deregister(std::string_view consumer) { return RunConsumer("DeregisterStreamConsumer", consumer); }
  std::string ConsumerStatus(std::string_view consumer) {
    const Reply reply = RunConsumer("DescribeStreamConsumer", consumer);
    return reply.error ? "" : reply.At("ConsumerDescription.ConsumerStatus");
  }
  /// "NAME STATE," of each.
  std::string Listed() {
    const Reply list = MustRun("ListStreamConsumers", R"({"StreamARN":")" + kArns + "orders\"}");
    std::string all;
    for (int i = 0; i < std::stoi(list.At("Consumers")); ++i) {
      const std::string at = "Consumers." + std::to_string(i);
      all += list.At(at + ".ConsumerName") + " " + list.At(at + ".ConsumerStatus") + ",";
    }
    return all;
  }
  Reply SubscribeTo(const std::string& consumer_arn) {
    return Subscribe(R"({"ConsumerARN":")" + consumer_arn + R"(","ShardId":"0","StartingPosition":{"Type":"LATEST"}})")
        .first;
  }
  Reply RunConsumer(std::string_view operation, std::string_view consumer, std::string_view stream = "orders") {
    return Run(operation, R"({"StreamARN":")" + kArns + std::string(stream) + R"(","ConsumerName":")" +
                              std::string(consumer) + "\"}");
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

TEST_CASE("ConsumerLifecycle: CREATING consumers are told so and cannot be subscribed to", "[kinesis]") {
  SlowCore core({.create_delay_ms = 5'000}, GENERATE(Encoding::kJson, Encoding::kCbor));
  REQUIRE(!core.Create().error);
  CHECK(core.Register("a").error == ApiError("ResourceInUseException",
                                             "Stream orders under account 000000000000 not ACTIVE, instead in state "
                                             "CREATING"));
  core.clock().AdvanceMs(5'000);
  const Reply made = core.Register("a");
  CHECK(made.At("Consumer.ConsumerStatus") == "CREATING");
  CHECK(core.ConsumerStatus("a") == "CREATING");
  CHECK(core.Listed() == "a CREATING,");
  const std::string arn = made.At("Consumer.ConsumerARN");
  CHECK(core.SubscribeTo(arn).error ==
        ApiError("ResourceInUseException",
                 "Consumer a under stream orders under account 000000000000 not ACTIVE, instead in state CREATING"));
  core.clock().AdvanceMs(4'999);
  CHECK(core.ConsumerStatus("a") == "CREATING");
  core.clock().AdvanceMs(1);
  CHECK(core.ConsumerStatus("a") == "ACTIVE");
  CHECK(core.Listed() == "a ACTIVE,");
  CHECK(!core.SubscribeTo(arn).error);
}

TEST_CASE("ConsumerLifecycle: five consumers of a stream are CREATING at most", "[kinesis]") {
  SlowCore core({.create_delay_ms = 5'000}, GENERATE(Encoding::kJson, Encoding::kCbor));
  REQUIRE(!core.Create().error);
  REQUIRE(!core.Create("pears").error);
  core.clock().AdvanceMs(5'000);
  for (int i = 0; i < 5; ++i) REQUIRE(!core.Register("c" + std::to_string(i)).error);
  CHECK(core.Register("more").error == ApiError("LimitExceededException",
                                                "Stream orders under account 000000000000 has 5 consumers in state "
                                                "CREATING, and may have no more at one time."));
  CHECK(!core.Register("more", "pears").error);
  CHECK(core.Register("c0").type() == "ResourceInUseException");
  REQUIRE(!core.Deregister("c0").error);
  CHECK(!core.Register("more").error);
  CHECK(core.Register("again").type() == "LimitExceededException");
  core.clock().AdvanceMs(5'000);
  CHECK(!core.Register("again").error);
}

TEST_CASE("ConsumerLifecycle: an UPDATING stream registers none", "[kinesis]") {
  SlowCore core({.update_delay_ms = 5'000}, GENERATE(Encoding::kJson, Encoding::kCbor));
  REQUIRE(!core.Create().error);
  REQUIRE(!core.Register("a").error);
  CHECK(core.Status() == "ACTIVE");
  CHECK(core.ConsumerStatus("a") == "ACTIVE");
  REQUIRE(!core.Keep(48).error);
  CHECK(core.Register("b").message() ==
        "Stream orders under account 000000000000 not ACTIVE, instead in state UPDATING");
  CHECK(!core.Deregister("a").error);
}

TEST_CASE("ConsumerLifecycle: the name of a DELETING consumer is not free", "[kinesis]") {
  SlowCore core({.delete_delay_ms = 5'000}, GENERATE(Encoding::kJson, Encoding::kCbor));
  REQUIRE(!core.Create().error);
  const std::string arn = core.Register("b").At("Consumer.ConsumerARN");
  REQUIRE(!core.Register("a").error);
  REQUIRE(!core.Register("c").error);
  REQUIRE(!core.Deregister("b").error);
  CHECK(core.ConsumerStatus("b") == "DELETING");
  CHECK(core.Listed() == "a ACTIVE,b DELETING,c ACTIVE,");
  CHECK(core.Register("b").error ==
        ApiError("ResourceInUseException", "Consumer b under stream orders already exists for account 000000000000."));
  CHECK(core.SubscribeTo(arn).type() == "ResourceInUseException");
  CHECK(core.Run("ListTagsForResource", R"({"ResourceARN":")" + arn + "\"}").type() == "ResourceNotFoundException");
  CHECK(!core.Deregister("b").error);
  core.clock().AdvanceMs(4'999);
  CHECK(core.ConsumerStatus("b") == "DELETING");
  core.clock().AdvanceMs(1);
  CHECK(core.ConsumerStatus("b").empty());
  CHECK(core.Listed() == "a ACTIVE,c ACTIVE,");
  CHECK(!core.Register("b").error);
  REQUIRE(!core.Deregister("b").error);
  core.Restart();
  CHECK(core.Listed() == "a ACTIVE,c ACTIVE,");
  CHECK(!core.Register("b").error);
}

}  // namespace
}  // namespace sluice::broker::kinesis
