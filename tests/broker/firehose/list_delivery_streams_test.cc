// ListDeliveryStreams: names in order, ten by default, by type.
#include "tests/broker/firehose/firehose_fixture.h"

namespace sluice::broker::firehose {
namespace {

TEST_CASE("ListDeliveryStreams: ten names in order, then the rest", "[firehose]") {
  FirehoseCore core;
  for (const char c : std::string("lkjihgfedcba")) core.Create(std::string(1, c));
  CHECK(core.MustRun("ListDeliveryStreams", "{}").body ==
        R"({"DeliveryStreamNames":["a","b","c","d","e","f","g","h","i","j"],"HasMoreDeliveryStreams":true})");
  CHECK(core.MustRun("ListDeliveryStreams", R"({"ExclusiveStartDeliveryStreamName":"j"})").body ==
        R"({"DeliveryStreamNames":["k","l"],"HasMoreDeliveryStreams":false})");
  CHECK(core.MustRun("ListDeliveryStreams", R"({"ExclusiveStartDeliveryStreamName":"aa","Limit":1})").body ==
        R"({"DeliveryStreamNames":["b"],"HasMoreDeliveryStreams":true})");
  CHECK(core.MustRun("ListDeliveryStreams", R"({"Limit":10000})").At("DeliveryStreamNames") == "12");
  CHECK(core.Run("ListDeliveryStreams", R"({"Limit":0})").type() == "ValidationException");
}

TEST_CASE("ListDeliveryStreams: by type", "[firehose]") {
  FirehoseCore core;
  REQUIRE(core.core.catalog->Create("clicks", 1, {}).has_value());
  core.Create("direct");
  core.CreateFromStream("read", "clicks");
  CHECK(core.MustRun("ListDeliveryStreams", R"({"DeliveryStreamType":"DirectPut"})").At("DeliveryStreamNames.0") ==
        "direct");
  CHECK(core.MustRun("ListDeliveryStreams", R"({"DeliveryStreamType":"KinesisStreamAsSource"})")
            .At("DeliveryStreamNames.0") == "read");
  CHECK(core.MustRun("ListDeliveryStreams", R"({"DeliveryStreamType":"MSKAsSource"})").At("DeliveryStreamNames") ==
        "0");
}

}  // namespace
}  // namespace sluice::broker::firehose
