// CreateStream: what is made, and what is refused.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("CreateStream: a stream of 24 hours that is there at once", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  CHECK(
      core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":3,"Tags":{"team":"ingest"}})").body.empty());
  core.Restart();
  const auto stream = core.catalog().Find("orders");
  REQUIRE(stream.has_value());
  CHECK((*stream)->shards.ranges().size() == 3);
  CHECK((*stream)->retention == RetentionSettings{.age_ms = 86'400'000, .bytes = {}});
  CHECK((*stream)->kinesis ==
        KinesisSettings{.tags = {{"team", "ingest"}}, .on_demand = false, .record_kib_max = 1'024, .consumers = {}});
}

TEST_CASE("CreateStream: on demand has four shards", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","StreamModeDetails":{"StreamMode":"ON_DEMAND"}})");
  const auto stream = core.catalog().Find("orders");
  REQUIRE(stream.has_value());
  CHECK((*stream)->shards.ranges().size() == 4);
  CHECK((*stream)->kinesis.on_demand);
}

TEST_CASE("CreateStream: refuses what AWS refuses", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const auto error = [&](std::string_view members) {
    return core.Run("CreateStream", R"({"StreamName":"new",)" + std::string(members) + "}").error;
  };
  CHECK(core.Run("CreateStream", R"({"StreamName":"orders","ShardCount":1})").error ==
        ApiError("ResourceInUseException", "Stream orders under account 000000000000 already exists."));
  CHECK(error(R"("Tags":{"a":"b"})") ==
        ApiError("InvalidArgumentException", "ShardCount is expected when StreamMode=PROVISIONED"));
  CHECK(error(R"("ShardCount":10001)") ==
        ApiError("LimitExceededException", "A stream has at most 10000 shards, and 10001 were asked for."));
  CHECK(error(R"("ShardCount":1,"WarmThroughputMiBps":1)") ==
        ApiError("ValidationException",
                 "WarmThroughputMiBps cannot be set while creating stream in Provisioned StreamMode"));
  CHECK(
      error(R"("WarmThroughputMiBps":1,"StreamModeDetails":{"StreamMode":"ON_DEMAND"})") ==
      ApiError("ValidationException", "Account 000000000000 is not enabled for minimum throughput billing commitment"));
  CHECK(error(R"("ShardCount":1,"Tags":{"aws:a":"b"})") ==
        ApiError("InvalidArgumentException",
                 "Some tag keys in the request started with 'aws:'. System tags cannot be modified."));
  CHECK(error(R"("ShardCount":0)")->message ==
        "1 validation error detected: Value '0' at 'shardCount' failed to satisfy constraint: Member must have value "
        "greater than or equal to 1");
  CHECK(error(R"("ShardCount":1,"MaxRecordSizeInKiB":10241)")->type == "ValidationException");
  CHECK(core.Run("CreateStream", R"({"StreamName":"..","ShardCount":1})").type() == "InvalidArgumentException");
  CHECK(core.catalog().List().size() == 1);
}

TEST_CASE("CreateStream: a record distribution strategy", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const auto create = [&](const std::string& mode, const std::string& strategy) {
    return core.Run("CreateStream", R"({"StreamName":"orders","ShardCount":4,"StreamModeDetails":{"StreamMode":")" +
                                        mode + R"("},"RecordDistributionStrategy":")" + strategy + R"("})");
  };
  CHECK(create("PROVISIONED", "AUTO").type() == "InvalidArgumentException");
  CHECK(create("ON_DEMAND", "RANDOM").type() == "ValidationException");
  CHECK(!create("ON_DEMAND", "AUTO").error);
  CHECK(core.MustRun("DescribeStreamSummary", R"({"StreamName":"orders"})")
            .At("StreamDescriptionSummary.RecordDistributionStrategy") == "AUTO");
  core.MustRun("PutRecord", R"({"StreamName":"orders","Data":"YQ=="})");
}

}  // namespace
}  // namespace sluice::broker::kinesis
