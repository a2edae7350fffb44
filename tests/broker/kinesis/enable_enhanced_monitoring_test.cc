// EnableEnhancedMonitoring: the set grows, is answered before and after, told by both descriptions, and kept.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("EnableEnhancedMonitoring: adds to what there is", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const auto enable = [&](std::string_view metrics) {
    return core.MustRun("EnableEnhancedMonitoring",
                        R"({"StreamName":"orders","ShardLevelMetrics":)" + std::string(metrics) + "}");
  };
  CHECK(enable(R"(["OutgoingBytes","IncomingBytes","OutgoingBytes"])").body ==
        R"({"StreamName":"orders","CurrentShardLevelMetrics":[],)"
        R"("DesiredShardLevelMetrics":["IncomingBytes","OutgoingBytes"],)"
        R"("StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders"})");
  core.Restart();
  CHECK(core.MustRun("DescribeStreamSummary", R"({"StreamName":"orders"})")
            .At("StreamDescriptionSummary.EnhancedMonitoring.0.ShardLevelMetrics.1") == "OutgoingBytes");
  const Reply all = enable(R"(["ALL"])");
  CHECK(all.At("CurrentShardLevelMetrics") == "2");
  CHECK(all.At("DesiredShardLevelMetrics") == "7");
  CHECK(core.MustRun("DescribeStream", R"({"StreamName":"orders"})")
            .At("StreamDescription.EnhancedMonitoring.0.ShardLevelMetrics.6") == "IteratorAgeMilliseconds");
}

TEST_CASE("EnableEnhancedMonitoring: what is no set of metrics", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const auto enable = [&](std::string_view rest) {
    return core.Run("EnableEnhancedMonitoring", R"({"StreamName":"orders")" + std::string(rest) + "}");
  };
  CHECK(enable("").message() ==
        "1 validation error detected: Value null at 'shardLevelMetrics' failed to satisfy constraint: Member must not "
        "be null");
  CHECK(enable(R"(,"ShardLevelMetrics":[])").type() == "ValidationException");
  CHECK(enable(R"(,"ShardLevelMetrics":["Bytes"])").type() == "ValidationException");
  CHECK(enable(R"(,"ShardLevelMetrics":["ALL"])").type() == "ResourceNotFoundException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
