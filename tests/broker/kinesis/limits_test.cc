// The settings that hold applications to AWS's limits, and what they are told beyond them.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

struct LimitedCore : KinesisCore {
  explicit LimitedCore(const KinesisOptions& options, Encoding encoding = Encoding::kJson)
      : KinesisCore(encoding, 1, {}, options) {
    MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":2})");
  }
};

std::string PutsOf(std::size_t count, std::size_t bytes, std::string_view hash_key = "0") {
  const std::string record = R"({"PartitionKey":"k","ExplicitHashKey":")" + std::string(hash_key) + R"(","Data":")" +
                             protocol::EncodeBase64(std::string(bytes - 1, 'x')) + "\"}";
  std::string json = R"({"StreamName":"orders","Records":[)" + record;
  for (std::size_t i = 1; i < count; ++i) json += "," + record;
  return json + "]}";
}

const ApiError kThrottled("ProvisionedThroughputExceededException",
                          "Rate exceeded for shard shardId-000000000000 in stream orders under account 000000000000.");

TEST_CASE("Limits: shards of all streams", "[kinesis]") {
  LimitedCore core({.shards_max = 5}, GENERATE(Encoding::kJson, Encoding::kCbor));
  const auto create = [&](std::string_view name, int shards) {
    return core.Run("CreateStream",
                    R"({"StreamName":")" + std::string(name) + R"(","ShardCount":)" + std::to_string(shards) + "}");
  };
  CHECK(create("more", 4).error ==
        ApiError("LimitExceededException",
                 "This request would exceed the shard limit for the account 000000000000 in us-east-1. Current shard "
                 "count for the account: 2. Limit: 5. Number of additional shards that would have resulted from this "
                 "request: 4. Refer to the AWS Service Limits page "
                 "(https://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and how "
                 "to request higher limits."));
  CHECK(create("orders", 4).type() == "ResourceInUseException");
  CHECK(!create("more", 3).error);
  CHECK(create("one-more", 1).type() == "LimitExceededException");
  CHECK(core.Run("SplitShard", R"({"StreamName":"orders","ShardToSplit":"0","NewStartingHashKey":"7"})").type() ==
        "LimitExceededException");
  CHECK(core.Run("UpdateShardCount", R"({"StreamName":"orders","TargetShardCount":3,"ScalingType":"UNIFORM_SCALING"})")
            .type() == "LimitExceededException");
  const Reply limits = core.MustRun("DescribeLimits", "{}");
  CHECK(limits.At("ShardLimit") == "5");
  CHECK(limits.At("OpenShardCount") == "5");
}

TEST_CASE("Limits: calls on streams, by account and operation", "[kinesis]") {
  LimitedCore core({.call_limits = true}, GENERATE(Encoding::kJson, Encoding::kCbor));
  const auto describe = [&] { return core.Run("DescribeStream", R"({"StreamName":"orders"})"); };
  for (int i = 0; i < 10; ++i) CHECK(!describe().error);
  CHECK(describe().error == ApiError("LimitExceededException", "Rate exceeded for account 000000000000."));
  CHECK(!core.Run("DescribeStreamSummary", R"({"StreamName":"orders"})").error);
  const aws::Caller other{.account = "111111111111", .region = "us-east-1", .access_key = ""};
  CHECK(!core.RunAs(other, "DescribeStream", R"({"StreamName":"orders"})").error);
  core.clock().AdvanceMs(100);
  CHECK(!describe().error);
  CHECK(describe().type() == "LimitExceededException");
  CHECK(!core.Run("DescribeLimits", "{}").error);
  CHECK(core.Run("DescribeLimits", "{}").type() == "LimitExceededException");
}

TEST_CASE("Limits: ListShards is counted by stream, and puts not at all", "[kinesis]") {
  LimitedCore core({.call_limits = true});
  core.MustRun("CreateStream", R"({"StreamName":"pears","ShardCount":1})");
  for (int i = 0; i < 1'000; ++i) core.MustRun("ListShards", R"({"StreamName":"orders"})");
  CHECK(core.Run("ListShards", R"({"StreamName":"orders"})").type() == "LimitExceededException");
  CHECK(!core.Run("ListShards", R"({"StreamName":"pears"})").error);
  for (int i = 0; i < 100; ++i) core.Put("k", "");
}

TEST_CASE("Limits: a shard takes 1,000 records a second", "[kinesis]") {
  LimitedCore core({.shard_limits = true}, GENERATE(Encoding::kJson, Encoding::kCbor));
  CHECK(core.MustRun("PutRecords", PutsOf(500, 1)).At("FailedRecordCount") == "0");
  CHECK(core.MustRun("PutRecords", PutsOf(499, 1)).At("FailedRecordCount") == "0");
  const Reply beyond = core.MustRun("PutRecords", PutsOf(3, 1));
  CHECK(beyond.At("FailedRecordCount") == "2");
  CHECK(beyond.At("Records.0.ShardId") == "shardId-000000000000");
  CHECK(beyond.At("Records.2.ErrorCode") == kThrottled.type);
  CHECK(beyond.At("Records.2.ErrorMessage") == kThrottled.message);
  CHECK(core.MustRun("PutRecords", PutsOf(2, 1)).At("FailedRecordCount") == "2");
  CHECK(core.Run("PutRecord", R"({"StreamName":"orders","PartitionKey":"k","ExplicitHashKey":"0","Data":""})").error ==
        kThrottled);
  const std::string last = "340282366920938463463374607431768211455";
  CHECK(core.MustRun("PutRecords", PutsOf(1, 1, last)).At("FailedRecordCount") == "0");
  core.clock().AdvanceMs(1);
  CHECK(core.MustRun("PutRecords", PutsOf(2, 1)).At("FailedRecordCount") == "1");
  CHECK(core.Records(core.Iterator(R"("ShardIteratorType":"TRIM_HORIZON")")).At("Records") == "1001");
}

TEST_CASE("Limits: a shard takes 1 MiB a second, or one larger record", "[kinesis]") {
  LimitedCore core({.shard_limits = true});
  CHECK(core.MustRun("PutRecords", PutsOf(9, 128u << 10)).At("FailedRecordCount") == "1");
  core.clock().AdvanceMs(125);
  CHECK(core.MustRun("PutRecords", PutsOf(2, 128u << 10)).At("FailedRecordCount") == "1");
  core.MustRun("UpdateMaxRecordSize", R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders",)"
                                      R"("MaxRecordSizeInKiB":4096})");
  core.clock().AdvanceMs(1'000);
  CHECK(core.MustRun("PutRecords", PutsOf(2, 3u << 20)).At("FailedRecordCount") == "1");
  core.clock().AdvanceMs(2'500);
  CHECK(core.MustRun("PutRecords", PutsOf(1, 600u << 10)).At("FailedRecordCount") == "1");
  core.clock().AdvanceMs(500);
  CHECK(core.MustRun("PutRecords", PutsOf(1, 600u << 10)).At("FailedRecordCount") == "0");
}

TEST_CASE("Limits: a shard is read five times a second", "[kinesis]") {
  LimitedCore core({.shard_limits = true}, GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string iterator = core.Iterator(R"("ShardIteratorType":"TRIM_HORIZON")");
  const auto read = [&] { return core.Run("GetRecords", R"({"ShardIterator":")" + iterator + "\"}"); };
  for (int i = 0; i < 5; ++i) CHECK(!read().error);
  CHECK(read().error == kThrottled);
  core.clock().AdvanceMs(200);
  CHECK(!read().error);
  for (int i = 0; i < 4; ++i) core.Iterator(R"("ShardIteratorType":"LATEST")");
  CHECK(core.Run("GetShardIterator", R"({"StreamName":"orders","ShardId":"0","ShardIteratorType":"LATEST"})").error ==
        std::nullopt);
  CHECK(core.Run("GetShardIterator", R"({"StreamName":"orders","ShardId":"0","ShardIteratorType":"LATEST"})").error ==
        kThrottled);
}

TEST_CASE("Limits: a shard gives 2 MiB a second, and waits 5 seconds after 10 MiB", "[kinesis]") {
  LimitedCore core({.shard_limits = true});
  for (int i = 0; i < 11; ++i) {
    CHECK(core.MustRun("PutRecords", PutsOf(8, 128u << 10)).At("FailedRecordCount") == "0");
    core.clock().AdvanceMs(1'000);
  }
  const std::string iterator = core.Iterator(R"("ShardIteratorType":"TRIM_HORIZON")");
  const auto read = [&](int limit) {
    return core.Run("GetRecords", R"({"ShardIterator":")" + iterator + R"(","Limit":)" + std::to_string(limit) + "}");
  };
  CHECK(!read(4).error);  // half of a MiB
  CHECK(!read(4).error);
  CHECK(read(10'000).At("Records") == "80");
  core.clock().AdvanceMs(4'999);
  CHECK(read(1).error == kThrottled);
  core.clock().AdvanceMs(2);
  CHECK(!read(1).error);
}

TEST_CASE("Limits: none without settings", "[kinesis]") {
  LimitedCore core({});
  for (int i = 0; i < 3; ++i) CHECK(core.MustRun("PutRecords", PutsOf(500, 4'096)).At("FailedRecordCount") == "0");
  for (int i = 0; i < 30; ++i) core.Iterator(R"("ShardIteratorType":"LATEST")");
  for (int i = 0; i < 30; ++i) core.MustRun("DescribeStream", R"({"StreamName":"orders"})");
}

TEST_CASE("Limits: calls on one stream share a bucket, however it is named", "[kinesis]") {
  LimitedCore core({.call_limits = true}, GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string arn = "arn:aws:kinesis:us-east-1:000000000000:stream/orders";
  const std::string by_name = R"({"StreamName":"orders")";
  const std::string by_arn = R"({"StreamARN":")" + arn + '"';
  const std::string hours = R"(,"RetentionPeriodHours":48})";
  const auto keep = [&](const std::string& named) {
    return core.Run("IncreaseStreamRetentionPeriod", named + hours).type();
  };
  for (int i = 0; i < 3; ++i) CHECK(keep(by_name).empty());
  for (int i = 0; i < 2; ++i) CHECK(keep(by_arn).empty());
  CHECK(keep(by_name) == "LimitExceededException");
  CHECK(keep(by_arn) == "LimitExceededException");
  const aws::Caller other{.account = "111111111111", .region = "us-east-1", .access_key = ""};
  CHECK(core.RunAs(other, "IncreaseStreamRetentionPeriod", by_name + hours).type() == "LimitExceededException");
  CHECK(keep(R"({"StreamName":"pears")") == "ResourceNotFoundException");
  // The accounts' own operations are counted apart.
  for (int i = 0; i < 5; ++i) CHECK(!core.Run("ListTagsForResource", R"({"ResourceARN":")" + arn + "\"}").error);
  CHECK(core.Run("ListTagsForResource", R"({"ResourceARN":")" + arn + "\"}").type() == "LimitExceededException");
}

TEST_CASE("Limits: DescribeStreamConsumer is counted by stream, not by consumer", "[kinesis]") {
  LimitedCore core({.call_limits = true}, GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string by_name = R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders","ConsumerName":")";
  const auto arn = [&](const std::string& name) {
    return core.MustRun("RegisterStreamConsumer", by_name + name + "\"}").At("Consumer.ConsumerARN");
  };
  const std::string a = R"({"ConsumerARN":")" + arn("a") + "\"}";
  const std::string b = R"({"ConsumerARN":")" + arn("b") + "\"}";
  for (int i = 0; i < 10; ++i) {
    CHECK(!core.Run("DescribeStreamConsumer", a).error);
    CHECK(!core.Run("DescribeStreamConsumer", b).error);
  }
  CHECK(core.Run("DescribeStreamConsumer", a).type() == "LimitExceededException");
  CHECK(core.Run("DescribeStreamConsumer", by_name + "b\"}").type() == "LimitExceededException");
}

TEST_CASE("Limits: ListShards by NextToken is counted by the token's stream", "[kinesis]") {
  LimitedCore core({.call_limits = true});
  core.MustRun("CreateStream", R"({"StreamName":"pears","ShardCount":2})");
  const auto token = [&](const std::string& stream) {
    const Reply first = core.MustRun("ListShards", R"({"StreamName":")" + stream + R"(","MaxResults":1})");
    return R"({"NextToken":")" + first.At("NextToken") + "\"}";
  };
  const std::string orders = token("orders");
  const std::string pears = token("pears");
  for (int i = 1; i < 1'000; ++i) core.MustRun("ListShards", orders);
  CHECK(core.Run("ListShards", orders).type() == "LimitExceededException");
  CHECK(core.Run("ListShards", R"({"StreamName":"orders"})").type() == "LimitExceededException");
  CHECK(!core.Run("ListShards", pears).error);
}

TEST_CASE("Limits: UpdateShardCount 10 times a day for a stream", "[kinesis]") {
  LimitedCore core({.call_limits = true}, GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"pears","ShardCount":1})");
  const auto resize = [&](int target, std::string_view stream = "orders") {
    return core.Run("UpdateShardCount", R"({"StreamName":")" + std::string(stream) + R"(","TargetShardCount":)" +
                                            std::to_string(target) + R"(,"ScalingType":"UNIFORM_SCALING"})");
  };
  for (int i = 0; i < 10; ++i) {
    CHECK(!resize(i % 2 == 0 ? 1 : 2).error);
    CHECK(resize(9).type() == "InvalidArgumentException");  // refused, and not counted
    core.clock().AdvanceMs(1'000);
  }
  CHECK(resize(1).error == ApiError("LimitExceededException",
                                    "UpdateShardCount has been called 10 times in the last 24 hours for stream orders "
                                    "under account 000000000000."));
  CHECK(!resize(2).error);  // which it has
  CHECK(!resize(2, "pears").error);
  core.Restart();
  core.clock().AdvanceMs(24 * 3'600'000 - 10'000 - 1);
  CHECK(resize(1).type() == "LimitExceededException");
  core.clock().AdvanceMs(1);
  CHECK(!resize(1).error);
  CHECK(resize(2).type() == "LimitExceededException");
}

TEST_CASE("Limits: UpdateStreamMode switches twice a day", "[kinesis]") {
  LimitedCore core({.call_limits = true}, GENERATE(Encoding::kJson, Encoding::kCbor));
  const auto to = [&](std::string_view mode) {
    return core.Run("UpdateStreamMode", R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders",)"
                                        R"("StreamModeDetails":{"StreamMode":")" +
                                            std::string(mode) + "\"}}");
  };
  CHECK(!to("ON_DEMAND").error);
  CHECK(!to("ON_DEMAND").error);  // no switch
  CHECK(!to("PROVISIONED").error);
  CHECK(to("ON_DEMAND").error == ApiError("LimitExceededException",
                                          "UpdateStreamMode has been called 2 times in the last 24 hours for stream "
                                          "orders under account 000000000000."));
  core.Restart();
  core.clock().AdvanceMs(24 * 3'600'000 - 1);
  CHECK(to("ON_DEMAND").type() == "LimitExceededException");
  core.clock().AdvanceMs(1);
  CHECK(!to("ON_DEMAND").error);
}

TEST_CASE("Limits: 50 streams in on-demand mode", "[kinesis]") {
  const bool limited = GENERATE(true, false);
  LimitedCore core({.call_limits = limited});
  const auto create = [&](const std::string& name) {
    core.clock().AdvanceMs(1'000);
    return core.Run("CreateStream",
                    R"({"StreamName":")" + name + R"(","StreamModeDetails":{"StreamMode":"ON_DEMAND"}})");
  };
  for (int i = 0; i < 50; ++i) REQUIRE(!create("s" + std::to_string(i)).error);
  const std::string to_on_demand = R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders",)"
                                   R"("StreamModeDetails":{"StreamMode":"ON_DEMAND"}})";
  const Reply limits = core.MustRun("DescribeLimits", "{}");
  CHECK(limits.At("OnDemandStreamCount") == "50");
  CHECK(limits.At("OnDemandStreamCountLimit") == (limited ? "50" : "1000000"));
  if (!limited) {
    CHECK(!create("more").error);
    CHECK(!core.Run("UpdateStreamMode", to_on_demand).error);
    return;
  }
  const ApiError too_many("LimitExceededException",
                          "Account 000000000000 has 50 streams in on-demand mode, and may have no more.");
  CHECK(create("more").error == too_many);
  CHECK(create("s0").type() == "ResourceInUseException");
  CHECK(core.Run("UpdateStreamMode", to_on_demand).error == too_many);
  core.MustRun("DeleteStream", R"({"StreamName":"s0"})");
  CHECK(!core.Run("UpdateStreamMode", to_on_demand).error);
}

}  // namespace
}  // namespace sluice::broker::kinesis
