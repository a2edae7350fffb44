// AddTagsToStream: tags are added, replaced and kept; which are refused.
#include "tests/broker/kinesis/tags_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("AddTagsToStream: adds and replaces", "[kinesis]") {
  TagsCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  CHECK(core.Add(R"({"a":"1","team":"data","größe":"1 + 1 = 2 @ x/y_z.-"})").body.empty());
  core.Restart();
  CHECK(core.List() == R"({"Tags":[{"Key":"a","Value":"1"},{"Key":"größe","Value":"1 + 1 = 2 @ x/y_z.-"},)"
                       R"({"Key":"team","Value":"data"}],"HasMoreTags":false})");
}

TEST_CASE("AddTagsToStream: refuses characters and numbers of tags as AWS does", "[kinesis]") {
  TagsCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
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
  CHECK(core.List() == R"({"Tags":[{"Key":"team","Value":"ingest"}],"HasMoreTags":false})");
  CHECK(!core.Add(ManyTags(49)).error);
  CHECK(core.Add("{}").type() == "ValidationException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
