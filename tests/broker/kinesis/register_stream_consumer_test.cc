// RegisterStreamConsumer: what a consumer is, and what is refused.
#include "broker/api/kinesis/consumers.h"
#include "tests/broker/kinesis/consumers_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("RegisterStreamConsumer: a consumer, kept over a restart and counted", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const Reply reply = core.Register("billing", R"(,"Tags":{"team":"money"})");
  REQUIRE(!reply.error);
  const std::int64_t created_s = core.clock().WallMs() / 1000;
  const std::string arn = fmt::format("{}/consumer/billing:{}", kOrdersArn, created_s);
  CHECK(reply.At("Consumer.ConsumerName") == "billing");
  CHECK(reply.At("Consumer.ConsumerARN") == arn);
  CHECK(reply.At("Consumer.ConsumerStatus") == "CREATING");
  CHECK(std::stod(reply.At("Consumer.ConsumerCreationTimestamp")) == static_cast<double>(created_s));
  core.Restart();
  CHECK(core.MustRun("DescribeStreamSummary", R"({"StreamName":"orders"})")
            .At("StreamDescriptionSummary.ConsumerCount") == "1");
  CHECK(core.MustRun("ListTagsForResource", fmt::format(R"({{"ResourceARN":"{}"}})", arn)).body ==
        R"({"Tags":[{"Key":"team","Value":"money"}]})");
}

TEST_CASE("RegisterStreamConsumer: refuses a name that is there, the 21st consumer, and bad tags", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.Arn("c0");
  CHECK(core.Register("c0").type() == "ResourceInUseException");
  CHECK(core.Register("c0").message() == "Consumer c0 under stream orders already exists for account 000000000000.");
  CHECK(core.Register("tagged", R"(,"Tags":{"aws:a":"1"})").type() == "InvalidArgumentException");
  CHECK(core.Register("a b").type() == "ValidationException");
  for (std::size_t i = 1; i < kConsumersMax; ++i) core.Arn(fmt::format("c{}", i));
  CHECK(core.Register("c20").type() == "LimitExceededException");
  CHECK(core.Run("RegisterStreamConsumer",
                 R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/none","ConsumerName":"c"})")
            .type() == "ResourceNotFoundException");
}

TEST_CASE("TagResource, UntagResource: tags of a consumer are its own", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string resource = fmt::format(R"({{"ResourceARN":"{}")", core.Arn("billing"));
  core.MustRun("TagResource", resource + R"(,"Tags":{"a":"1","b":"2"}})");
  core.MustRun("UntagResource", resource + R"(,"TagKeys":["b"]})");
  CHECK(core.MustRun("ListTagsForResource", resource + "}").body == R"({"Tags":[{"Key":"a","Value":"1"}]})");
  CHECK(core.MustRun("ListTagsForStream", R"({"StreamName":"orders"})").body == R"({"Tags":[],"HasMoreTags":false})");
  core.MustRun("DeregisterStreamConsumer", fmt::format(R"({{"StreamARN":"{}","ConsumerName":"billing"}})", kOrdersArn));
  for (const char* more : {R"(,"Tags":{"a":"1"}})", R"(,"TagKeys":["a"]})", "}"}) {
    const std::string_view operation = std::string_view(more).starts_with(",\"Tags\"") ? "TagResource"
                                       : std::string_view(more) == "}"                 ? "ListTagsForResource"
                                                                                       : "UntagResource";
    CHECK(core.Run(operation, resource + more).type() == "ResourceNotFoundException");
  }
}

}  // namespace
}  // namespace sluice::broker::kinesis
