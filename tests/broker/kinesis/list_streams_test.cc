// ListStreams: names in order, pages, no hidden ones.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

struct ThreeStreams : KinesisCore {
  explicit ThreeStreams(Encoding encoding = Encoding::kJson) : KinesisCore(encoding) {
    for (const std::string name : {"b", "a", "c"}) {
      MustRun("CreateStream", R"({"StreamName":")" + name + R"(","ShardCount":1})");
    }
    REQUIRE(catalog().Create("delivery:lake", 1, {}, true).has_value());
  }
};

TEST_CASE("ListStreams: by name, with summaries", "[kinesis]") {
  ThreeStreams core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const Reply reply = core.MustRun("ListStreams", "{}");
  CHECK(reply.body.starts_with(
      R"({"StreamNames":["a","b","c"],"HasMoreStreams":false,"StreamSummaries":[{"StreamName":"a",)"
      R"("StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/a","StreamStatus":"ACTIVE",)"
      R"("StreamModeDetails":{"StreamMode":"PROVISIONED"},"StreamCreationTimestamp":1700000000.000},)"));
}

TEST_CASE("ListStreams: pages by name and by token", "[kinesis]") {
  ThreeStreams core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const Reply first = core.MustRun("ListStreams", R"({"Limit":2})");
  CHECK(first.At("StreamNames.1") == "b");
  CHECK(first.At("HasMoreStreams") == "true");
  const std::string token = R"("NextToken":")" + first.At("NextToken") + "\"";
  CHECK(core.MustRun("ListStreams", "{" + token + "}").At("StreamNames.0") == "c");
  CHECK(core.MustRun("ListStreams", R"({"ExclusiveStartStreamName":"aa"})").At("StreamNames.0") == "b");
  CHECK(core.MustRun("ListStreams", R"({"ExclusiveStartStreamName":"c"})").At("StreamNames") == "0");
  CHECK(core.Run("ListStreams", R"({"ExclusiveStartStreamName":"a",)" + token + "}").message() ==
        "ExclusiveStartStreamName and NextToken cannot be provided together.");
  CHECK(core.Run("ListStreams", R"({"NextToken":"x"})").error ==
        ApiError("InvalidArgumentException", "Invalid NextToken."));
  core.clock().AdvanceMs(300'001);
  CHECK(core.Run("ListStreams", "{" + token + "}").type() == "ExpiredNextTokenException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
