// UpdateShardCount: equal ranges, and the limits of one call.
#include "protocol/hash_key.h"
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

std::string Update(int target, std::string_view stream = "orders") {
  return R"({"StreamName":")" + std::string(stream) + R"(","TargetShardCount":)" + std::to_string(target) +
         R"(,"ScalingType":"UNIFORM_SCALING"})";
}

TEST_CASE("UpdateShardCount: reaches equal ranges with the answer", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor), GENERATE(1u, 2u));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":2})");
  CHECK(core.MustRun("UpdateShardCount", Update(3)).body ==
        R"({"StreamName":"orders","CurrentShardCount":2,"TargetShardCount":3,)"
        R"("StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders"})");
  int current = 3;
  for (const int target : {6, 4, 4, 8, 5, 2, 1}) {
    const Reply reply = core.MustRun("UpdateShardCount", Update(target));
    CHECK(reply.At("CurrentShardCount") == std::to_string(current));
    current = target;
    const Reply open = core.MustRun("ListShards", R"({"StreamName":"orders","ShardFilter":{"Type":"AT_LATEST"}})");
    REQUIRE(open.At("Shards") == std::to_string(target));
    const auto uniform = protocol::ShardMap::Uniform(static_cast<std::uint32_t>(target)).ranges();
    const auto& ranges = (*core.catalog().Find("orders"))->shards.ranges();
    for (std::size_t i = 0; i < uniform.size(); ++i) CHECK(ranges[i].last == uniform[i].last);
  }
}

TEST_CASE("UpdateShardCount: double and half, and three to one", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":6})");
  const auto error = [&](const std::string& json) { return *core.Run("UpdateShardCount", json).error; };
  CHECK(error(Update(13)).type == "InvalidArgumentException");
  CHECK(error(Update(2)).type == "InvalidArgumentException");
  CHECK(error(Update(0)).type == "ValidationException");
  CHECK(error(R"({"StreamName":"orders","TargetShardCount":6,"ScalingType":"OTHER"})").type == "ValidationException");
  CHECK(error(Update(1, "gone")).type == "ResourceNotFoundException");
  core.MustRun("UpdateShardCount", Update(3));
  core.MustRun("UpdateShardCount", Update(1));
  core.MustRun("CreateStream", R"({"StreamName":"large","ShardCount":10000})");
  CHECK(error(Update(10'001, "large")).type == "LimitExceededException");
  core.MustRun("CreateStream", R"({"StreamName":"own","StreamModeDetails":{"StreamMode":"ON_DEMAND"}})");
  CHECK(error(Update(8, "own")).type == "ValidationException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
