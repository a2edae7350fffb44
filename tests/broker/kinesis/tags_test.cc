// The operations on tags, by name and by ARN.
#include <fmt/format.h>

#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

constexpr std::string_view kArn = "arn:aws:kinesis:us-east-1:000000000000:stream/orders";

struct OrdersCore : KinesisCore {
  explicit OrdersCore(Encoding encoding = Encoding::kJson) : KinesisCore(encoding) {
    MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1,"Tags":{"team":"ingest"}})");
  }
  Reply Add(std::string_view tags) {
    return Run("AddTagsToStream", fmt::format(R"({{"StreamName":"orders","Tags":{}}})", tags));
  }
  Reply TagArn(std::string_view tags) {
    return Run("TagResource", fmt::format(R"({{"ResourceARN":"{}","Tags":{}}})", kArn, tags));
  }
  std::string List(std::string_view more = "") {
    return MustRun("ListTagsForStream", fmt::format(R"({{"StreamName":"orders"{}}})", more)).body;
  }
};

std::string ManyTags(int count) {
  std::string tags = "{";
  for (int i = 0; i < count; ++i) tags += fmt::format(R"({}"t{}":"")", i == 0 ? "" : ",", i);
  return tags + "}";
}

TEST_CASE("AddTagsToStream, RemoveTagsFromStream, ListTagsForStream: add, replace, remove", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  CHECK(core.Add(R"({"a":"1","team":"data","größe":"1 + 1 = 2 @ x/y_z.-"})").body.empty());
  core.Restart();
  CHECK(core.List() == R"({"Tags":[{"Key":"a","Value":"1"},{"Key":"größe","Value":"1 + 1 = 2 @ x/y_z.-"},)"
                       R"({"Key":"team","Value":"data"}],"HasMoreTags":false})");
  core.MustRun("RemoveTagsFromStream", R"({"StreamName":"orders","TagKeys":["a","unknown"]})");
  CHECK(core.List(R"(,"Limit":1)") == R"({"Tags":[{"Key":"größe","Value":"1 + 1 = 2 @ x/y_z.-"}],"HasMoreTags":true})");
  CHECK(core.List(R"(,"ExclusiveStartTagKey":"größe")") ==
        R"({"Tags":[{"Key":"team","Value":"data"}],"HasMoreTags":false})");
}

TEST_CASE("TagResource, UntagResource, ListTagsForResource: the same by ARN", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string resource = fmt::format(R"({{"ResourceARN":"{}")", kArn);
  CHECK(core.TagArn(R"({"a":"1"})").body.empty());
  CHECK(core.MustRun("ListTagsForResource", resource + "}").body ==
        R"({"Tags":[{"Key":"a","Value":"1"},{"Key":"team","Value":"ingest"}]})");
  core.MustRun("UntagResource", resource + R"(,"TagKeys":["team"]})");
  CHECK(core.MustRun("ListTagsForResource", resource + "}").body == R"({"Tags":[{"Key":"a","Value":"1"}]})");
  CHECK(core.Run("ListTagsForResource", R"({"ResourceARN":"arn:aws:kinesis:us-east-1:000000000000:stream/none"})")
            .type() == "ResourceNotFoundException");
  CHECK(core.Run("ListTagsForResource", "{}").type() == "ValidationException");
}

TEST_CASE("AddTagsToStream: refuses characters and numbers of tags as AWS does", "[kinesis]") {
  OrdersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  CHECK(core.Add(R"({"a;b":"1"})").message() ==
        "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % "
        "@.");
  CHECK(core.Add(R"({"a":"1%"})").message() ==
        "Failed to add tags to stream orders under account 000000000000 because some tags contained illegal "
        "characters. The allowed characters are Unicode letters, white-spaces, '_',',','/','=','+','-','@'.");
  CHECK(core.Add(R"({"aws:a":"1"})").message() ==
        "Some tag keys in the request started with 'aws:'. System tags cannot be modified.");
  CHECK(core.Add(ManyTags(50)).message() ==
        "Failed to add tags to stream orders under account 000000000000 because a given stream cannot have more than "
        "50 tags associated with it.");
  CHECK(core.TagArn(ManyTags(50)).message() ==
        fmt::format("Failed to add tags to resource {} under account 000000000000 because a given resource cannot "
                    "have more than 50 tags associated with it.",
                    kArn));
  CHECK(core.List() == R"({"Tags":[{"Key":"team","Value":"ingest"}],"HasMoreTags":false})");
  CHECK(!core.Add(ManyTags(49)).error);
  CHECK(core.Add("{}").type() == "ValidationException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
