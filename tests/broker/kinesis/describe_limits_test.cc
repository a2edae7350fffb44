// DescribeLimits: what there is, under limits that nobody meets.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("DescribeLimits: counts shards and on-demand streams", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"a","ShardCount":3})");
  core.MustRun("CreateStream", R"({"StreamName":"b","StreamModeDetails":{"StreamMode":"ON_DEMAND"}})");
  CHECK(core.MustRun("DescribeLimits", "{}").body ==
        R"({"ShardLimit":1000000,"OpenShardCount":7,"OnDemandStreamCount":1,"OnDemandStreamCountLimit":1000000})");
}

}  // namespace
}  // namespace sluice::broker::kinesis
