// The five operations on channels, which deliver a stream without Firehose: not yet. One file, as they say the same.
#include <fmt/format.h>

#include "broker/api/kinesis/handlers/operations.h"

namespace sluice::broker::kinesis {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = protocol::aws::Shape::Structure();
  return shape;
}

aws::Operation NotYet(std::string_view name) {
  return {
      name, Input, [name](const aws::CallPtr& call) {
        call->Fail({"UnknownOperationException",
                    fmt::format("{} is not there yet: this broker has no channels. A delivery stream delivers a data "
                                "stream to the lake.",
                                name)});
      }};
}

}  // namespace

aws::Operation CreateChannel(const Context& /*context*/) { return NotYet("CreateChannel"); }
aws::Operation DeleteChannel(const Context& /*context*/) { return NotYet("DeleteChannel"); }
aws::Operation DescribeChannel(const Context& /*context*/) { return NotYet("DescribeChannel"); }
aws::Operation ListChannels(const Context& /*context*/) { return NotYet("ListChannels"); }
aws::Operation UpdateChannel(const Context& /*context*/) { return NotYet("UpdateChannel"); }

}  // namespace sluice::broker::kinesis
