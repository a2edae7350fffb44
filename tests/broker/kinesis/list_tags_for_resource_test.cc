// ListTagsForResource: all tags at once, by ARN.
#include "tests/broker/kinesis/tags_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("ListTagsForResource: a stream's tags by key", "[kinesis]") {
  TagsCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.Add(R"({"a":"1"})");
  CHECK(core.ListByArn() == R"({"Tags":[{"Key":"a","Value":"1"},{"Key":"team","Value":"ingest"}]})");
}

TEST_CASE("ListTagsForResource: no such stream, no ARN", "[kinesis]") {
  TagsCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  CHECK(core.Run("ListTagsForResource", R"({"ResourceARN":"arn:aws:kinesis:us-east-1:000000000000:stream/none"})")
            .type() == "ResourceNotFoundException");
  CHECK(core.Run("ListTagsForResource", "{}").type() == "ValidationException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
