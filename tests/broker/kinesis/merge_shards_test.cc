// MergeShards: the child, what is refused, and what readers of both parents meet.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

std::string Merge(std::string_view shard, std::string_view adjacent, std::string_view stream = "orders") {
  return R"({"StreamName":")" + std::string(stream) + R"(","ShardToMerge":")" + std::string(shard) +
         R"(","AdjacentShardToMerge":")" + std::string(adjacent) + "\"}";
}

TEST_CASE("MergeShards: one child owns the keys of both", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor), GENERATE(1u, 2u));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":3})");
  CHECK(core.MustRun("MergeShards", Merge("shardId-1", "shardId-2")).body.empty());
  const Reply list = core.MustRun("ListShards", R"({"StreamName":"orders"})");
  CHECK(list.At("Shards") == "4");
  CHECK(list.At("Shards.3.ParentShardId") == "shardId-000000000001");
  CHECK(list.At("Shards.3.AdjacentParentShardId") == "shardId-000000000002");
  CHECK(list.At("Shards.3.HashKeyRange.StartingHashKey") == list.At("Shards.1.HashKeyRange.StartingHashKey"));
  CHECK(list.At("Shards.3.HashKeyRange.EndingHashKey") == list.At("Shards.2.HashKeyRange.EndingHashKey"));
  for (const std::string parent : {"shardId-000000000001", "shardId-000000000002"}) {
    const Reply end = core.Records(core.Iterator(R"("ShardIteratorType":"TRIM_HORIZON")", parent));
    CHECK(end.At("NextShardIterator").empty());
    CHECK(end.At("ChildShards") == "1");
    CHECK(end.At("ChildShards.0.ParentShards.0") == "shardId-000000000001");
    CHECK(end.At("ChildShards.0.ParentShards.1") == "shardId-000000000002");
  }
  const Reply put =
      core.MustRun("PutRecord", R"({"StreamName":"orders","PartitionKey":"k","Data":"","ExplicitHashKey":)"
                                R"("340282366920938463463374607431768211455"})");
  CHECK(put.At("ShardId") == "shardId-000000000003");
}

TEST_CASE("MergeShards: what is refused, in AWS's words", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":3})");
  const auto error = [&](const std::string& json) { return *core.Run("MergeShards", json).error; };
  const auto not_adjacent = [](std::string_view one, std::string_view other) {
    return ApiError("InvalidArgumentException", "Shards shardId-00000000000" + std::string(one) +
                                                    " and shardId-00000000000" + std::string(other) +
                                                    " in stream orders under account 000000000000 are not an adjacent "
                                                    "pair of shards eligible for merging");
  };
  CHECK(error(Merge("shardId-0", "shardId-2")) == not_adjacent("0", "2"));
  CHECK(error(Merge("shardId-1", "shardId-0")) == not_adjacent("1", "0"));
  CHECK(error(Merge("shardId-1", "shardId-1")) == not_adjacent("1", "1"));
  CHECK(error(Merge("shardId-1", "nothing")) ==
        ApiError("ResourceNotFoundException",
                 "Could not find shard nothing in stream orders under account 000000000000."));
  CHECK(error(Merge("shardId-9", "shardId-1")).message ==
        "Could not find shard shardId-000000000009 in stream orders under account 000000000000.");
  core.MustRun("MergeShards", Merge("shardId-0", "shardId-1"));
  CHECK(error(Merge("shardId-1", "shardId-2")).message ==
        "Shard shardId-000000000001 in stream orders under account 000000000000 has already been merged or split, and "
        "thus is not eligible for merging or splitting.");
  CHECK(error(Merge("shardId-0", "shardId-1", "gone")).type == "ResourceNotFoundException");
  core.MustRun("CreateStream", R"({"StreamName":"own","StreamModeDetails":{"StreamMode":"ON_DEMAND"}})");
  CHECK(error(Merge("shardId-0", "shardId-1", "own")).type == "ValidationException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
