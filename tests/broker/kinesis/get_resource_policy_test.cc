// GetResourcePolicy: the policy of a stream or a consumer, without white space.
#include "tests/broker/kinesis/resource_policy_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("GetResourcePolicy: the policy without white space, over a restart", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string consumer = core.Arn("a");
  const std::string arn = GENERATE(false, true) ? consumer : kOrders;
  const auto policy = [&](std::string_view of) {
    return core.MustRun("GetResourcePolicy", ResourceInput(of)).At("Policy");
  };
  CHECK(policy(arn) == "{}");
  const std::string compact = R"({"Version":"2012-10-17","Statement":[)" +
                              Statement("Allow", R"({"AWS":"111111111111"})", R"(["kinesis:Put*"])", arn) + "]}";
  CHECK(PutPolicy(core, " " + compact + " ", arn).body.empty());
  core.Restart();
  CHECK(policy(arn) == compact);
  CHECK(policy(arn == kOrders ? consumer : kOrders) == "{}");
}

TEST_CASE("GetResourcePolicy: of what is not there, or another account's", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string arn = core.Arn("a");
  const auto type = [&](std::string_view of) { return core.Run("GetResourcePolicy", ResourceInput(of)).type(); };
  CHECK(type("arn:aws:kinesis:us-east-1:000000000000:stream/none") == "ResourceNotFoundException");
  CHECK(type(kOrders + "/consumer/b:1") == "ResourceNotFoundException");
  CHECK(type("arn:aws:kinesis:eu-west-1:000000000000:stream/orders") == "InvalidArgumentException");
  CHECK(type("orders") == "ValidationException");
  SetPolicy(core, Statement("Allow", R"("*")", R"("*")", arn), arn);
  CHECK(core.RunAs(kGuest, "GetResourcePolicy", ResourceInput(arn)).type() == "UnrecognizedClientException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
