// TagDeliveryStream, UntagDeliveryStream, ListTagsForDeliveryStream: kept, by pages, within limits, and no new version.
#include "tests/broker/firehose/firehose_fixture.h"

namespace sluice::broker::firehose {
namespace {

std::string Tags(int first, int last) {
  std::string json = R"({"DeliveryStreamName":"orders","Tags":[)";
  for (int i = first; i <= last; ++i) {
    json += fmt::format(R"({}{{"Key":"k{:02}","Value":"v{}"}})", i == first ? "" : ",", i, i);
  }
  return json + "]}";
}

TEST_CASE("Tags of delivery streams: added, changed, removed, and there after a restart", "[firehose]") {
  FirehoseCore core;
  core.Create("orders", R"("Prefix":"a/")");
  CHECK(core.MustRun("TagDeliveryStream", Tags(1, 3)).body == "{}");
  core.MustRun("TagDeliveryStream", R"({"DeliveryStreamName":"orders","Tags":[{"Key":"k02"}]})");
  CHECK(core.MustRun("UntagDeliveryStream", R"({"DeliveryStreamName":"orders","TagKeys":["k01","none"]})").body ==
        "{}");
  core.Restart();
  CHECK(core.MustRun("ListTagsForDeliveryStream", R"({"DeliveryStreamName":"orders"})").body ==
        R"({"Tags":[{"Key":"k02","Value":""},{"Key":"k03","Value":"v3"}],"HasMoreTags":false})");
  CHECK(core.DescribedAt("orders", "VersionId") == "1");
  CHECK(core.Update("orders", "1", R"("Prefix":"b/")").error == std::nullopt);
  CHECK(core.MustRun("ListTagsForDeliveryStream", R"({"DeliveryStreamName":"orders"})").At("Tags") == "2");
}

TEST_CASE("Tags of delivery streams: pages", "[firehose]") {
  FirehoseCore core;
  core.Create("orders");
  core.MustRun("TagDeliveryStream", Tags(1, 50));
  const Reply page = core.MustRun("ListTagsForDeliveryStream", R"({"DeliveryStreamName":"orders","Limit":49})");
  CHECK(page.At("Tags.48.Key") == "k49");
  CHECK(page.At("HasMoreTags") == "true");
  const Reply last =
      core.MustRun("ListTagsForDeliveryStream", R"({"DeliveryStreamName":"orders","ExclusiveStartTagKey":"k49"})");
  CHECK(last.body == R"({"Tags":[{"Key":"k50","Value":"v50"}],"HasMoreTags":false})");
  CHECK(
      core.Run("TagDeliveryStream", Tags(51, 51)).error ==
      ApiError("LimitExceededException", "Firehose orders under account 123456789012 cannot have more than 50 tags."));
  CHECK(core.MustRun("ListTagsForDeliveryStream", R"({"DeliveryStreamName":"orders"})").At("Tags") == "50");
  CHECK(core.Run("ListTagsForDeliveryStream", R"({"DeliveryStreamName":"orders","Limit":51})").type() ==
        "ValidationException");
}

TEST_CASE("Tags of delivery streams: characters and names", "[firehose]") {
  FirehoseCore core;
  core.Create("orders");
  const auto tag = [&](std::string_view key) {
    return core.Run("TagDeliveryStream",
                    fmt::format(R"({{"DeliveryStreamName":"orders","Tags":[{{"Key":"{}"}}]}})", key));
  };
  CHECK(tag("Größe 1_.:/=+-@%").error == std::nullopt);
  CHECK(tag("awsome:").error == std::nullopt);
  CHECK(tag("a*").type() == "ValidationException");
  CHECK(tag("aws:a").type() == "ValidationException");
  CHECK(tag("").type() == "ValidationException");
  const ApiError none("ResourceNotFoundException", "Firehose none under account 123456789012 not found.");
  CHECK(core.Run("TagDeliveryStream", R"({"DeliveryStreamName":"none","Tags":[{"Key":"a"}]})").error == none);
  CHECK(core.Run("UntagDeliveryStream", R"({"DeliveryStreamName":"none","TagKeys":["a"]})").error == none);
  CHECK(core.Run("ListTagsForDeliveryStream", R"({"DeliveryStreamName":"none"})").error == none);
}

}  // namespace
}  // namespace sluice::broker::firehose
