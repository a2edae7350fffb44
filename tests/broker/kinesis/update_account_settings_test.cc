// UpdateAccountSettings: a commitment begins, lasts a day at least, and ends.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;

Reply Update(KinesisCore& core, std::string_view status) {
  return core.MustRun("UpdateAccountSettings",
                      R"({"MinimumThroughputBillingCommitment":{"Status":")" + std::string(status) + "\"}}");
}

TEST_CASE("UpdateAccountSettings: answers the commitment, which stays when it is asked for again", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  CHECK(Update(core, "DISABLED").body == R"({"MinimumThroughputBillingCommitment":{"Status":"DISABLED"}})");
  const std::string on = R"({"MinimumThroughputBillingCommitment":{"Status":"ENABLED","StartedAt":1700000000.000,)"
                         R"("EarliestAllowedEndAt":1700086400.000}})";
  CHECK(Update(core, "ENABLED").body == on);
  core.Restart();
  core.clock().AdvanceMs(kHourMs);
  CHECK(Update(core, "ENABLED").body == on);
}

TEST_CASE("UpdateAccountSettings: a commitment ends after a day, or at once when it is older", "[kinesis]") {
  KinesisCore core;
  Update(core, "ENABLED");
  core.clock().AdvanceMs(kHourMs);
  CHECK(Update(core, "DISABLED").At("MinimumThroughputBillingCommitment.Status") ==
        "ENABLED_UNTIL_EARLIEST_ALLOWED_END");
  core.clock().AdvanceMs(22 * kHourMs);
  CHECK(Update(core, "ENABLED").At("MinimumThroughputBillingCommitment.Status") == "ENABLED");
  CHECK(Update(core, "DISABLED").At("MinimumThroughputBillingCommitment.StartedAt") == "1700000000.000000");
  core.clock().AdvanceMs(kHourMs);
  CHECK(core.MustRun("DescribeAccountSettings", "{}").body ==
        R"({"MinimumThroughputBillingCommitment":{"Status":"DISABLED","StartedAt":1700000000.000,)"
        R"("EndedAt":1700086400.000}})");
  CHECK(Update(core, "ENABLED").At("MinimumThroughputBillingCommitment.StartedAt") == "1700086400.000000");
  core.clock().AdvanceMs(25 * kHourMs);
  CHECK(Update(core, "DISABLED").At("MinimumThroughputBillingCommitment.EndedAt") == "1700176400.000000");
}

TEST_CASE("UpdateAccountSettings: inputs that are none", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  CHECK(core.Run("UpdateAccountSettings", "{}").type() == "ValidationException");
  CHECK(core.Run("UpdateAccountSettings", R"({"MinimumThroughputBillingCommitment":{}})").type() ==
        "ValidationException");
  CHECK(core.Run("UpdateAccountSettings", R"({"MinimumThroughputBillingCommitment":{"Status":"ON"}})").type() ==
        "ValidationException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
