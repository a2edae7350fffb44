// A stream with the tag team=ingest, for the tests of the operations on tags, by name and by ARN.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {

struct TagsCore : KinesisCore {
  static constexpr std::string_view kArn = "arn:aws:kinesis:us-east-1:000000000000:stream/orders";

  explicit TagsCore(Encoding encoding) : KinesisCore(encoding) {
    MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1,"Tags":{"team":"ingest"}})");
  }
  Reply Add(std::string_view tags) {
    return Run("AddTagsToStream", fmt::format(R"({{"StreamName":"orders","Tags":{}}})", tags));
  }
  std::string List(std::string_view more = "") {
    return MustRun("ListTagsForStream", fmt::format(R"({{"StreamName":"orders"{}}})", more)).body;
  }
  Reply AddByArn(std::string_view tags) {
    return Run("TagResource", fmt::format(R"({{"ResourceARN":"{}","Tags":{}}})", kArn, tags));
  }
  std::string ListByArn() {
    return MustRun("ListTagsForResource", fmt::format(R"({{"ResourceARN":"{}"}})", kArn)).body;
  }
};

inline std::string ManyTags(int count) {
  std::string tags = "{";
  for (int i = 0; i < count; ++i) tags += fmt::format(R"({}"t{}":"")", i == 0 ? "" : ",", i);
  return tags + "}";
}

}  // namespace sluice::broker::kinesis
