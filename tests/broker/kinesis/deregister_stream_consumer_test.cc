// DeregisterStreamConsumer, and what consumers mean for the deletion of their stream.
#include "tests/broker/kinesis/consumers_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("DeregisterStreamConsumer: by ARN or by name; the name is free again", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string by_arn = fmt::format(R"({{"ConsumerARN":"{}"}})", core.Arn("billing"));
  const std::string by_name = fmt::format(R"({{"StreamARN":"{}","ConsumerName":"billing"}})", kOrdersArn);
  CHECK(core.Run("DeregisterStreamConsumer", by_arn).body.empty());
  const Reply again = core.Run("DeregisterStreamConsumer", by_name);
  CHECK(again.type() == "ResourceNotFoundException");
  CHECK(again.message() == "Consumer billing under stream orders not found for account 000000000000.");
  core.PassSeconds(1);
  core.Arn("billing");
  // The ARN was that of another consumer of this name.
  CHECK(core.Run("DeregisterStreamConsumer", by_arn).type() == "ResourceNotFoundException");
  CHECK(!core.Run("DeregisterStreamConsumer", by_name).error);
  CHECK(core.Run("DeregisterStreamConsumer", R"({"ConsumerName":"billing"})").type() == "InvalidArgumentException");
}

TEST_CASE("DeregisterStreamConsumer: ends the consumer's subscriptions, and no others", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor), GENERATE(1u, 2u));
  const auto ended = core.MustSubscribe(core.Arn("a"), R"("Type":"LATEST")");
  const auto other = core.MustSubscribe(core.Arn("b"), R"("Type":"LATEST")");
  core.MustRun("DeregisterStreamConsumer", fmt::format(R"({{"StreamARN":"{}","ConsumerName":"a"}})", kOrdersArn));
  CHECK(core.EndOf(*ended) ==
        "ResourceNotFoundException: Consumer a under stream orders not found for account 000000000000.");
  core.Put("k", "still");
  CHECK(DataOf(core.NextRecords(*other), 0) == "still");
}

TEST_CASE("DeleteStream: not with consumers, unless they may go with it", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const auto stream = core.MustSubscribe(core.Arn("a"), R"("Type":"LATEST")");
  for (const char* refused :
       {R"({"StreamName":"orders"})", R"({"StreamName":"orders","EnforceConsumerDeletion":false})"}) {
    CHECK(core.Run("DeleteStream", refused).type() == "ResourceInUseException");
  }
  core.MustRun("DeleteStream", R"({"StreamName":"orders","EnforceConsumerDeletion":true})");
  CHECK(core.EndOf(*stream) == "ResourceNotFoundException: Stream orders under account 000000000000 not found.");
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  CHECK(core.MustRun("ListStreamConsumers", fmt::format(R"({{"StreamARN":"{}"}})", kOrdersArn)).At("Consumers") == "0");
}

}  // namespace
}  // namespace sluice::broker::kinesis
