// TagResource: as AddTagsToStream, by ARN.
#include "tests/broker/kinesis/tags_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("TagResource: adds to a stream's tags", "[kinesis]") {
  TagsCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  CHECK(core.AddByArn(R"({"a":"1"})").body.empty());
  CHECK(core.ListByArn() == R"({"Tags":[{"Key":"a","Value":"1"},{"Key":"team","Value":"ingest"}]})");
}

TEST_CASE("TagResource: refuses too many tags as AWS does", "[kinesis]") {
  TagsCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  CHECK(core.AddByArn(ManyTags(50)).message() ==
        fmt::format("Failed to add tags to resource {} under account 000000000000 because a given resource cannot "
                    "have more than 50 tags associated with it.",
                    TagsCore::kArn));
  CHECK(core.ListByArn() == R"({"Tags":[{"Key":"team","Value":"ingest"}]})");
}

}  // namespace
}  // namespace sluice::broker::kinesis
