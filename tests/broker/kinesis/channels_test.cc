// The five operations on channels say that there are none yet. One file for the five, as their one handler file gives
// the same answer to all.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("Channels: not there yet", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string name =
      GENERATE("CreateChannel", "DeleteChannel", "DescribeChannel", "ListChannels", "UpdateChannel");
  CHECK(core.Run(name, R"({"ChannelARN":"any"})").error ==
        ApiError("UnknownOperationException", name +
                                                  " is not there yet: this broker has no channels. A delivery stream "
                                                  "delivers a data stream to the lake."));
}

}  // namespace
}  // namespace sluice::broker::kinesis
