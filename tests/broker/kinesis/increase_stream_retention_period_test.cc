// IncreaseStreamRetentionPeriod: only upwards, up to a year.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("IncreaseStreamRetentionPeriod: sets more hours and keeps them", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  CHECK(core.MustRun("IncreaseStreamRetentionPeriod", R"({"StreamName":"orders","RetentionPeriodHours":48})").body ==
        "");
  core.MustRun("IncreaseStreamRetentionPeriod", R"({"StreamName":"orders","RetentionPeriodHours":48})");
  core.Restart();
  CHECK((*core.catalog().Find("orders"))->retention.age_ms == 48 * 3'600'000);
}

TEST_CASE("IncreaseStreamRetentionPeriod: refuses fewer hours and too many", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  core.MustRun("IncreaseStreamRetentionPeriod", R"({"StreamName":"orders","RetentionPeriodHours":8760})");
  const auto message = [&](int hours) {
    const Reply reply = core.Run("IncreaseStreamRetentionPeriod",
                                 R"({"StreamName":"orders","RetentionPeriodHours":)" + std::to_string(hours) + "}");
    CHECK(reply.type() == "InvalidArgumentException");
    return reply.message();
  };
  CHECK(message(8'761) ==
        "Maximum allowed retention period is 8760 hours. Requested retention period (8761 hours) is too long.");
  CHECK(message(23) ==
        "Minimum allowed retention period is 24 hours. Requested retention period (23 hours) is too short.");
  CHECK(message(48) ==
        "Requested retention period (48 hours) for stream orders can not be shorter than existing retention period "
        "(8760 hours). Use DecreaseRetentionPeriod API.");
}

TEST_CASE("IncreaseStreamRetentionPeriod: the bytes of a native stream stay", "[kinesis]") {
  KinesisCore core;
  REQUIRE(core.catalog().Create("native", 1, {.age_ms = 60'000, .bytes = 1u << 30}).has_value());
  core.MustRun("IncreaseStreamRetentionPeriod", R"({"StreamName":"native","RetentionPeriodHours":24})");
  CHECK((*core.catalog().Find("native"))->retention == RetentionSettings{.age_ms = 60'000, .bytes = 1u << 30});
  core.MustRun("IncreaseStreamRetentionPeriod", R"({"StreamName":"native","RetentionPeriodHours":25})");
  CHECK((*core.catalog().Find("native"))->retention == RetentionSettings{.age_ms = 25 * 3'600'000, .bytes = 1u << 30});
}

}  // namespace
}  // namespace sluice::broker::kinesis
