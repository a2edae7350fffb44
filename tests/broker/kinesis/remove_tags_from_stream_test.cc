// RemoveTagsFromStream: takes away the tags that are there.
#include "tests/broker/kinesis/tags_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("RemoveTagsFromStream: takes away a tag; one that is not there is no error", "[kinesis]") {
  TagsCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.Add(R"({"a":"1","größe":"2"})");
  core.MustRun("RemoveTagsFromStream", R"({"StreamName":"orders","TagKeys":["a","unknown"]})");
  CHECK(core.List() == R"({"Tags":[{"Key":"größe","Value":"2"},{"Key":"team","Value":"ingest"}],"HasMoreTags":false})");
}

}  // namespace
}  // namespace sluice::broker::kinesis
