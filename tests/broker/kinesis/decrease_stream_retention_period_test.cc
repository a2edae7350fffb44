// DecreaseStreamRetentionPeriod: only downwards, to a day.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("DecreaseStreamRetentionPeriod: sets fewer hours", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  REQUIRE(core.catalog().Create("for-ever", 1, {}).has_value());
  CHECK(
      core.MustRun("DecreaseStreamRetentionPeriod", R"({"StreamName":"for-ever","RetentionPeriodHours":8760})").body ==
      "");
  CHECK((*core.catalog().Find("for-ever"))->retention == RetentionSettings());
  core.MustRun("DecreaseStreamRetentionPeriod", R"({"StreamName":"for-ever","RetentionPeriodHours":24})");
  CHECK((*core.catalog().Find("for-ever"))->retention.age_ms == 24 * 3'600'000);
}

TEST_CASE("DecreaseStreamRetentionPeriod: refuses more hours and too few", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const auto message = [&](int hours) {
    return core
        .Run("DecreaseStreamRetentionPeriod",
             R"({"StreamName":"orders","RetentionPeriodHours":)" + std::to_string(hours) + "}")
        .message();
  };
  CHECK(message(23) ==
        "Minimum allowed retention period is 24 hours. Requested retention period (23 hours) is too short.");
  CHECK(message(25) ==
        "Requested retention period (25 hours) for stream orders can not be longer than existing retention period (24 "
        "hours). Use IncreaseRetentionPeriod API.");
  CHECK(core.Run("DecreaseStreamRetentionPeriod", R"({"StreamName":"other","RetentionPeriodHours":24})").type() ==
        "ResourceNotFoundException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
