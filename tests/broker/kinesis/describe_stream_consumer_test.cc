// DescribeStreamConsumer: by ARN, by name, and neither.
#include "tests/broker/kinesis/consumers_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("DescribeStreamConsumer: by ARN and by name", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string arn = core.Arn("billing");
  const std::string by_name = fmt::format(R"({{"StreamARN":"{}","ConsumerName":"billing"}})", kOrdersArn);
  const Reply described = core.MustRun("DescribeStreamConsumer", fmt::format(R"({{"ConsumerARN":"{}"}})", arn));
  CHECK(described.At("ConsumerDescription.ConsumerName") == "billing");
  CHECK(described.At("ConsumerDescription.ConsumerARN") == arn);
  CHECK(described.At("ConsumerDescription.ConsumerStatus") == "ACTIVE");
  CHECK(described.At("ConsumerDescription.StreamARN") == kOrdersArn);
  CHECK(core.MustRun("DescribeStreamConsumer", by_name).body == described.body);
}

TEST_CASE("DescribeStreamConsumer: refuses what is not there, or named twice in different ways", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string arn = core.Arn("billing");
  const auto type = [&](std::string_view input) {
    return core.Run("DescribeStreamConsumer", std::string(input)).type();
  };
  CHECK(type("{}") == "InvalidArgumentException");
  CHECK(type(R"({"ConsumerName":"billing"})") == "InvalidArgumentException");
  CHECK(type(fmt::format(R"({{"ConsumerARN":"{}","ConsumerName":"other"}})", arn)) == "InvalidArgumentException");
  CHECK(type(fmt::format(R"({{"ConsumerARN":"{}0"}})", arn)) == "ResourceNotFoundException");
  CHECK(type(fmt::format(R"({{"ConsumerARN":"{}"}})", kOrdersArn)) == "ValidationException");
  CHECK(type(fmt::format(R"({{"StreamARN":"{}","ConsumerName":"none"}})", kOrdersArn)) == "ResourceNotFoundException");
  CHECK(type(R"({"ConsumerARN":"arn:aws:kinesis:eu-west-1:000000000000:stream/orders/consumer/billing:1"})") ==
        "InvalidArgumentException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
