// StartDeliveryStreamEncryption, StopDeliveryStreamEncryption: refused in clear words.
#include "tests/broker/firehose/firehose_fixture.h"

namespace sluice::broker::firehose {
namespace {

TEST_CASE("DeliveryStreamEncryption: not served, and said so", "[firehose]") {
  FirehoseCore core;
  REQUIRE(core.core.catalog->Create("clicks", 1, {}).has_value());
  core.CreateFromStream("lake", "clicks");
  core.Create("orders");
  CHECK(core.Run("StartDeliveryStreamEncryption", R"({"DeliveryStreamName":"orders"})").error ==
        ApiError("InvalidArgumentException",
                 "StartDeliveryStreamEncryption: encryption of records at rest is not served by this broker"));
  CHECK(core.Run("StopDeliveryStreamEncryption", R"({"DeliveryStreamName":"orders"})").error ==
        ApiError("InvalidArgumentException",
                 "StopDeliveryStreamEncryption: encryption of records at rest is not served by this broker"));
  CHECK(core.Run("StartDeliveryStreamEncryption", R"({"DeliveryStreamName":"lake"})").message() ==
        "Server-side encryption is only applicable for DirectPut stream type; encrypt the source stream.");
  CHECK(core.Run("StopDeliveryStreamEncryption", R"({"DeliveryStreamName":"none"})").type() ==
        "ResourceNotFoundException");
}

}  // namespace
}  // namespace sluice::broker::firehose
