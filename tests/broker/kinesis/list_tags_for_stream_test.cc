// ListTagsForStream: by key, in pages.
#include "tests/broker/kinesis/tags_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("ListTagsForStream: a page as long as was asked for, and the rest behind its last key", "[kinesis]") {
  TagsCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.Add(R"({"größe":"1 + 1 = 2 @ x/y_z.-"})");
  CHECK(core.List(R"(,"Limit":1)") == R"({"Tags":[{"Key":"größe","Value":"1 + 1 = 2 @ x/y_z.-"}],"HasMoreTags":true})");
  CHECK(core.List(R"(,"ExclusiveStartTagKey":"größe")") ==
        R"({"Tags":[{"Key":"team","Value":"ingest"}],"HasMoreTags":false})");
}

}  // namespace
}  // namespace sluice::broker::kinesis
