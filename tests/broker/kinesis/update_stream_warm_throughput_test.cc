// UpdateStreamWarmThroughput: for on-demand streams of accounts with a billing commitment.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

void Commit(KinesisCore& core) {
  core.MustRun("UpdateAccountSettings", R"({"MinimumThroughputBillingCommitment":{"Status":"ENABLED"}})");
}

Reply Update(KinesisCore& core, std::string_view mibps, std::string_view stream = "orders") {
  return core.Run("UpdateStreamWarmThroughput", R"({"StreamName":")" + std::string(stream) +
                                                    R"(","WarmThroughputMiBps":)" + std::string(mibps) + "}");
}

std::string Told(KinesisCore& core) {
  return core.MustRun("DescribeStreamSummary", R"({"StreamName":"orders"})")
      .At("StreamDescriptionSummary.WarmThroughput.CurrentMiBps");
}

TEST_CASE("UpdateStreamWarmThroughput: kept, told, and taken away", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  Commit(core);
  core.MustRun("CreateStream", R"({"StreamName":"orders","StreamModeDetails":{"StreamMode":"ON_DEMAND"},)"
                               R"("WarmThroughputMiBps":7})");
  CHECK(Told(core) == "7");
  CHECK(Update(core, "100").body ==
        R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders","StreamName":"orders",)"
        R"("WarmThroughput":{"TargetMiBps":100,"CurrentMiBps":100}})");
  core.Restart();
  CHECK(Told(core) == "100");
  CHECK(Update(core, "0").At("WarmThroughput.TargetMiBps") == "0");
  CHECK(Told(core).empty());
}

TEST_CASE("UpdateStreamWarmThroughput: goes with the mode", "[kinesis]") {
  KinesisCore core;
  Commit(core);
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const auto set_mode = [&](std::string_view rest) {
    core.MustRun("UpdateStreamMode",
                 R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders",)" + std::string(rest) + "}");
  };
  set_mode(R"("StreamModeDetails":{"StreamMode":"ON_DEMAND"},"WarmThroughputMiBps":5)");
  CHECK(Told(core) == "5");
  set_mode(R"("StreamModeDetails":{"StreamMode":"ON_DEMAND"})");
  CHECK(Told(core) == "5");
  set_mode(R"("StreamModeDetails":{"StreamMode":"PROVISIONED"})");
  CHECK(Told(core).empty());
}

TEST_CASE("UpdateStreamWarmThroughput: refusals", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","StreamModeDetails":{"StreamMode":"ON_DEMAND"}})");
  core.MustRun("CreateStream", R"({"StreamName":"fixed","ShardCount":1})");
  CHECK(
      Update(core, "1").error ==
      ApiError("ValidationException", "Account 000000000000 is not enabled for minimum throughput billing commitment"));
  Commit(core);
  CHECK(Update(core, "1", "fixed").type() == "ValidationException");
  CHECK(Update(core, "10240").type().empty());
  CHECK(Update(core, "10241").type() == "LimitExceededException");
  CHECK(Update(core, "-1").type() == "ValidationException");
  CHECK(Update(core, "1", "none").type() == "ResourceNotFoundException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
