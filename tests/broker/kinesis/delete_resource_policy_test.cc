// DeleteResourcePolicy: what a policy allowed or denied is no more.
#include "tests/broker/kinesis/resource_policy_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("DeleteResourcePolicy: what is deleted allows nothing, and is not there again", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string consumer = core.Arn("a");
  const std::string arn = GENERATE(false, true) ? consumer : kOrders;
  const ApiError none("ResourceNotFoundException", "No resource policy found for resource ARN " + arn + ".");
  CHECK(core.Run("DeleteResourcePolicy", ResourceInput(arn)).error == none);
  SetPolicy(core, Statement("Allow", R"("*")", R"("*")", arn), arn);
  const auto describe = [&] {
    return core.RunAs(kGuest, "DescribeStreamConsumer", fmt::format(R"({{"ConsumerARN":"{}"}})", consumer));
  };
  CHECK(!describe().error);
  CHECK(core.MustRun("DeleteResourcePolicy", ResourceInput(arn)).body.empty());
  CHECK(describe().type() == "AccessDeniedException");
  core.Restart();
  CHECK(core.Run("DeleteResourcePolicy", ResourceInput(arn)).error == none);
}

TEST_CASE("DeleteResourcePolicy: of one resource alone, and by its account", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string arn = core.Arn("a");
  SetPolicy(core, Statement("Allow", R"("*")", R"("*")"));
  SetPolicy(core, Statement("Allow", R"("*")", R"("*")", arn), arn);
  CHECK(core.RunAs(kGuest, "DeleteResourcePolicy", ResourceInput(arn)).type() == "UnrecognizedClientException");
  core.MustRun("DeleteResourcePolicy", ResourceInput(kOrders));
  CHECK(core.MustRun("GetResourcePolicy", ResourceInput(arn)).At("Policy") != "{}");
  CHECK(core.Run("DeleteResourcePolicy", ResourceInput(kOrders + "/consumer/b:1")).type() ==
        "ResourceNotFoundException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
