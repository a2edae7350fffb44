// DeleteStream: gone at once, but not under a delivery stream.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("DeleteStream: the stream is gone and its name free", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor), GENERATE(1u, 2u));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":2})");
  core.Put("k", "old");
  CHECK(core.MustRun("DeleteStream", R"({"StreamName":"orders","EnforceConsumerDeletion":true})").body.empty());
  CHECK(core.Run("DescribeStream", R"({"StreamName":"orders"})").type() == "ResourceNotFoundException");
  CHECK(core.Run("DeleteStream", R"({"StreamName":"orders"})").type() == "ResourceNotFoundException");
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  CHECK(core.Records(core.Iterator(R"("ShardIteratorType":"TRIM_HORIZON")")).At("Records") == "0");
}

TEST_CASE("DeleteStream: not while a delivery stream reads it", "[kinesis]") {
  KinesisCore core;
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  core.holds.Set({(*core.catalog().Find("orders"))->id, ShardIndex(0)}, "lake", Offset(0));
  CHECK(core.Run("DeleteStream", R"({"StreamName":"orders"})").error ==
        ApiError("ResourceInUseException",
                 "Stream orders under account 000000000000 feeds delivery stream lake, which would lose what it has "
                 "not delivered. Delete the delivery stream first."));
  const ShardId shard{(*core.catalog().Find("orders"))->id, ShardIndex(0)};
  core.holds.Set(shard, "failing", Offset(0), HoldReason::kDeadLetters);  // that it is read matters more
  CHECK(core.Run("DeleteStream", R"({"StreamName":"orders"})").message().contains("feeds delivery stream lake"));
  core.holds.RemoveAll("lake");
  CHECK(core.Run("DeleteStream", R"({"StreamName":"orders"})").error ==
        ApiError("ResourceInUseException",
                 "Stream orders under account 000000000000 is in use as a dead-letter stream by a delivery of failing "
                 "that is not done: it appends dead letters to it, or delivers some of it again. Wait until it is "
                 "done, or delete the delivery stream first."));
  core.holds.RemoveAll("failing");
  CHECK(!core.Run("DeleteStream", R"({"StreamName":"orders"})").error);
}

}  // namespace
}  // namespace sluice::broker::kinesis
