// DisableEnhancedMonitoring: the set shrinks; what is not in it is no error.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("DisableEnhancedMonitoring: takes away some, then all", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  core.MustRun("EnableEnhancedMonitoring",
               R"({"StreamName":"orders","ShardLevelMetrics":["IncomingBytes","IncomingRecords"]})");
  const auto disable = [&](std::string_view metric) {
    return core.MustRun("DisableEnhancedMonitoring",
                        R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders",)"
                        R"("ShardLevelMetrics":[")" +
                            std::string(metric) + "\"]}");
  };
  CHECK(disable("OutgoingBytes").At("DesiredShardLevelMetrics") == "2");
  CHECK(disable("IncomingBytes").body ==
        R"({"StreamName":"orders","CurrentShardLevelMetrics":["IncomingBytes","IncomingRecords"],)"
        R"("DesiredShardLevelMetrics":["IncomingRecords"],)"
        R"("StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders"})");
  CHECK(disable("ALL").At("DesiredShardLevelMetrics") == "0");
  CHECK(core.MustRun("DescribeStreamSummary", R"({"StreamName":"orders"})")
            .At("StreamDescriptionSummary.EnhancedMonitoring.0.ShardLevelMetrics") == "0");
}

}  // namespace
}  // namespace sluice::broker::kinesis
