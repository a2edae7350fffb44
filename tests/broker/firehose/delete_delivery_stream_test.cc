// DeleteDeliveryStream: what goes, what stays, and in which states.
#include "tests/broker/firehose/firehose_fixture.h"

namespace sluice::broker::firehose {
namespace {

constexpr std::string_view kOrders = R"({"DeliveryStreamName":"orders"})";

TEST_CASE("DeleteDeliveryStream: gone with what was not delivered; the objects stay", "[firehose]") {
  FirehoseCore core;
  core.Create("orders");
  core.Put("orders", "delivered");
  CHECK(core.Delivered("orders") == "delivered");
  core.Put("orders", "not delivered");
  CHECK(core.MustRun("DeleteDeliveryStream", std::string(kOrders)).body == "{}");
  CHECK(core.Run("DescribeDeliveryStream", std::string(kOrders)).error ==
        ApiError("ResourceNotFoundException", "Firehose orders under account 123456789012 not found."));
  CHECK_FALSE(core.core.catalog->Find("delivery:orders").has_value());
  CHECK(core.Lake().size() == 1);
  CHECK(core.Run("DeleteDeliveryStream", std::string(kOrders)).type() == "ResourceNotFoundException");
  core.Restart();
  CHECK(core.Run("ListDeliveryStreams", "{}").At("DeliveryStreamNames") == "0");
}

TEST_CASE("DeleteDeliveryStream: the name is free, and a new one has none of the old records", "[firehose]") {
  FirehoseCore core;
  core.Create("orders");
  core.Put("orders", "old");
  core.MustRun("DeleteDeliveryStream", std::string(kOrders));
  core.Create("orders");
  core.Put("orders", "new");
  CHECK(core.Delivered("orders") == "new");
}

TEST_CASE("DeleteDeliveryStream: one of a stream leaves the stream", "[firehose]") {
  FirehoseCore core;
  REQUIRE(core.core.catalog->Create("clicks", 1, {}).has_value());
  core.CreateFromStream("lake", "clicks");
  core.MustRun("DeleteDeliveryStream", R"({"DeliveryStreamName":"lake","AllowForceDelete":true})");
  CHECK(core.core.catalog->Find("clicks").has_value());
  CHECK(core.core.holds.HolderOf((*core.core.catalog->Find("clicks"))->id) == std::nullopt);
}

}  // namespace
}  // namespace sluice::broker::firehose
