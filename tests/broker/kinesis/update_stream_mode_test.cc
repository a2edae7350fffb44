// UpdateStreamMode: the mode is told, the shards stay.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("UpdateStreamMode: there and back", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":3})");
  const auto update = [&](std::string_view members) {
    return core.Run("UpdateStreamMode", R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders",)" +
                                            std::string(members) + "}");
  };
  const auto described = [&](std::string_view path) {
    return core.MustRun("DescribeStream", R"({"StreamName":"orders"})").At("StreamDescription." + std::string(path));
  };
  CHECK(update(R"("StreamModeDetails":{"StreamMode":"ON_DEMAND"})").body.empty());
  core.Restart();
  CHECK(described("StreamModeDetails.StreamMode") == "ON_DEMAND");
  CHECK(described("Shards") == "3");
  CHECK(!update(R"("StreamModeDetails":{"StreamMode":"PROVISIONED"})").error);
  CHECK(described("StreamModeDetails.StreamMode") == "PROVISIONED");
  CHECK(update(R"("StreamModeDetails":{"StreamMode":"ON_DEMAND"},"WarmThroughputMiBps":1)").message() ==
        "Account 000000000000 is not enabled for minimum throughput billing commitment");
  CHECK(update(R"("StreamModeDetails":{})").type() == "ValidationException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
