// ListStreamConsumers: pages, and tokens that are none.
#include "tests/broker/kinesis/consumers_fixture.h"

namespace sluice::broker::kinesis {
namespace {

std::string List(std::string_view more = "") { return fmt::format(R"({{"StreamARN":"{}"{}}})", kOrdersArn, more); }

TEST_CASE("ListStreamConsumers: pages by name", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  CHECK(core.MustRun("ListStreamConsumers", List()).body == R"({"Consumers":[]})");
  for (const char* name : {"b", "a", "c"}) core.Arn(name);
  const Reply first = core.MustRun("ListStreamConsumers", List(R"(,"MaxResults":2)"));
  CHECK(first.At("Consumers") == "2");
  CHECK(first.At("Consumers.0.ConsumerName") == "a");
  CHECK(first.At("Consumers.1.ConsumerName") == "b");
  CHECK(first.At("Consumers.1.ConsumerStatus") == "ACTIVE");
  const std::string token = fmt::format(R"(,"NextToken":"{}")", first.At("NextToken"));
  const Reply last = core.MustRun("ListStreamConsumers", List(token));
  CHECK(last.At("Consumers") == "1");
  CHECK(last.At("Consumers.0.ConsumerName") == "c");
  CHECK(last.At("NextToken").empty());
  core.PassSeconds(301);
  CHECK(core.Run("ListStreamConsumers", List(token)).type() == "ExpiredNextTokenException");
}

TEST_CASE("ListStreamConsumers: refuses tokens of other lists and streams of another time", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"others","ShardCount":1})");
  for (const char* name : {"a", "b"}) core.Arn(name);
  const std::string token = core.MustRun("ListStreamConsumers", List(R"(,"MaxResults":1)")).At("NextToken");
  const std::string others = std::string(kOrdersArn.substr(0, kOrdersArn.rfind('/'))) + "/others";
  CHECK(core.Run("ListStreamConsumers", fmt::format(R"({{"StreamARN":"{}","NextToken":"{}"}})", others, token))
            .message() == "Invalid NextToken.");
  const std::string streams = core.MustRun("ListStreams", R"({"Limit":1})").At("NextToken");
  CHECK(core.Run("ListStreamConsumers", List(fmt::format(R"(,"NextToken":"{}")", streams))).message() ==
        "Invalid NextToken.");
  CHECK(core.Run("ListStreamConsumers", List(R"(,"StreamCreationTimestamp":1)")).type() == "ResourceNotFoundException");
  CHECK(core.Run("ListStreamConsumers", "{}").type() == "ValidationException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
