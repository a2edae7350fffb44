// UntagResource: as RemoveTagsFromStream, by ARN.
#include "tests/broker/kinesis/tags_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("UntagResource: takes away a stream's tag", "[kinesis]") {
  TagsCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.AddByArn(R"({"a":"1"})");
  core.MustRun("UntagResource", fmt::format(R"({{"ResourceARN":"{}","TagKeys":["team"]}})", TagsCore::kArn));
  CHECK(core.ListByArn() == R"({"Tags":[{"Key":"a","Value":"1"}]})");
}

}  // namespace
}  // namespace sluice::broker::kinesis
