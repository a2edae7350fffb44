// DescribeAccountSettings: an account's commitment as UpdateAccountSettings left it, none for the others.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("DescribeAccountSettings: the commitment of the caller's account, also after a restart", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string none = R"({"MinimumThroughputBillingCommitment":{"Status":"DISABLED"}})";
  CHECK(core.MustRun("DescribeAccountSettings", "{}").body == none);
  core.MustRun("UpdateAccountSettings", R"({"MinimumThroughputBillingCommitment":{"Status":"ENABLED"}})");
  core.Restart();
  core.clock().AdvanceMs(3'600'000);
  CHECK(core.MustRun("DescribeAccountSettings", "{}").body ==
        R"({"MinimumThroughputBillingCommitment":{"Status":"ENABLED","StartedAt":1700000000.000,)"
        R"("EarliestAllowedEndAt":1700086400.000}})");
  const aws::Caller other{.account = "111111111111", .region = "us-east-1", .access_key = ""};
  CHECK(core.RunAs(other, "DescribeAccountSettings", "{}").body == none);
}

}  // namespace
}  // namespace sluice::broker::kinesis
