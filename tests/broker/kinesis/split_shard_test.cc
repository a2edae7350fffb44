// SplitShard: the children, what is refused, and what a reader meets.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

constexpr std::string_view kHalf = "170141183460469231731687303715884105728";

std::string Split(std::string_view shard, std::string_view key, std::string_view stream = "orders") {
  return R"({"StreamName":")" + std::string(stream) + R"(","ShardToSplit":")" + std::string(shard) +
         R"(","NewStartingHashKey":")" + std::string(key) + "\"}";
}

TEST_CASE("SplitShard: two children own the parent's keys", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor), GENERATE(1u, 2u));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const std::string last = core.Put("k", "last of the parent").At("SequenceNumber");
  CHECK(core.MustRun("SplitShard", Split("shardId-000000000000", kHalf)).body.empty());
  const Reply list = core.MustRun("ListShards", R"({"StreamName":"orders"})");
  CHECK(list.At("Shards") == "3");
  CHECK(list.At("Shards.0.SequenceNumberRange.EndingSequenceNumber") > last);
  for (const std::string child : {"Shards.1", "Shards.2"}) {
    CHECK(list.At(child + ".ParentShardId") == "shardId-000000000000");
    CHECK(list.At(child + ".AdjacentParentShardId").empty());
    CHECK(list.At(child + ".SequenceNumberRange.EndingSequenceNumber").empty());
    CHECK(list.At(child + ".SequenceNumberRange.StartingSequenceNumber") >
          list.At("Shards.0.SequenceNumberRange.EndingSequenceNumber"));
  }
  CHECK(list.At("Shards.1.HashKeyRange.StartingHashKey") == "0");
  CHECK(list.At("Shards.1.HashKeyRange.EndingHashKey") == "170141183460469231731687303715884105727");
  CHECK(list.At("Shards.2.HashKeyRange.StartingHashKey") == kHalf);
  const Reply put = core.Put("k", "first of a child");
  CHECK(put.At("ShardId") != "shardId-000000000000");
  CHECK(put.At("SequenceNumber") > last);
  CHECK(core.MustRun("DescribeStreamSummary", R"({"StreamName":"orders"})")
            .At("StreamDescriptionSummary.OpenShardCount") == "2");
  CHECK(core.MustRun("DescribeStream", R"({"StreamName":"orders"})").At("StreamDescription.Shards") == "3");
  CHECK(core.MustRun("DescribeLimits", "{}").At("OpenShardCount") == "2");
}

TEST_CASE("SplitShard: what is refused, in AWS's words", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":2})");
  const auto error = [&](const std::string& json) { return *core.Run("SplitShard", json).error; };
  CHECK(error(Split("shardId-0", "7", "gone")).type == "ResourceNotFoundException");
  CHECK(error(Split("x-y", "7")) ==
        ApiError("ResourceNotFoundException", "Could not find shard x-y in stream orders under account 000000000000."));
  CHECK(error(Split("shardId-5", "7")) ==
        ApiError("ResourceNotFoundException",
                 "Could not find shard shardId-000000000005 in stream orders under account 000000000000."));
  const auto out_of_range = [&](std::string_view key) {
    const ApiError answer = error(Split("shardId-0", key));
    CHECK(answer == ApiError("InvalidArgumentException",
                             "NewStartingHashKey " + std::string(key) +
                                 " used in SplitShard() on shard shardId-000000000000 in stream orders under account "
                                 "000000000000 is not both greater than one plus the shard's StartingHashKey 0 and "
                                 "less than the shard's EndingHashKey 170141183460469231731687303715884105727."));
  };
  for (const std::string_view key :
       {"0", "1", "170141183460469231731687303715884105727", "170141183460469231731687303715884105728",
        "999999999999999999999999999999999999999"}) {
    out_of_range(key);
  }
  CHECK(error(Split("shardId-0", "01")).type == "ValidationException");
  core.MustRun("SplitShard", Split("shardId-0", "2"));
  CHECK(error(Split("shardId-0", "2")) ==
        ApiError("InvalidArgumentException",
                 "Shard shardId-000000000000 in stream orders under account 000000000000 has already been merged or "
                 "split, and thus is not eligible for merging or splitting."));
  core.MustRun("CreateStream", R"({"StreamName":"own","StreamModeDetails":{"StreamMode":"ON_DEMAND"}})");
  CHECK(error(Split("shardId-0", "2", "own")).type == "ValidationException");
}

TEST_CASE("SplitShard: a reader of the parent is led to the children", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor), GENERATE(1u, 2u));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  for (int i = 0; i < 3; ++i) core.Put("k", std::to_string(i));
  const std::string before = core.Iterator(R"("ShardIteratorType":"TRIM_HORIZON")");
  core.MustRun("SplitShard", Split("shardId-0", kHalf));
  if (GENERATE(false, true)) core.Restart();
  const Reply first = core.Records(before, 2);
  CHECK(first.At("Records") == "2");
  CHECK(first.At("ChildShards").empty());
  const Reply last = core.Records(first.At("NextShardIterator"), 2);
  CHECK(last.At("Records") == "1");
  CHECK(last.At("NextShardIterator").empty());
  CHECK(last.At("MillisBehindLatest") == "0");
  CHECK(last.body.ends_with(
      R"("ChildShards":[{"ShardId":"shardId-000000000001","ParentShards":["shardId-000000000000"],)"
      R"("HashKeyRange":{"StartingHashKey":"0","EndingHashKey":"170141183460469231731687303715884105727"}},)"
      R"({"ShardId":"shardId-000000000002","ParentShards":["shardId-000000000000"],)"
      R"("HashKeyRange":{"StartingHashKey":"170141183460469231731687303715884105728",)"
      R"("EndingHashKey":"340282366920938463463374607431768211455"}}]})"));
  const std::string ending =
      core.MustRun("ListShards", R"({"StreamName":"orders"})").At("Shards.0.SequenceNumberRange.EndingSequenceNumber");
  for (const std::string& place :
       {std::string(R"("ShardIteratorType":"LATEST")"),
        R"("ShardIteratorType":"AFTER_SEQUENCE_NUMBER","StartingSequenceNumber":")" + ending + "\"",
        R"("ShardIteratorType":"AT_SEQUENCE_NUMBER","StartingSequenceNumber":")" + ending + "\"",
        R"("ShardIteratorType":"AFTER_SEQUENCE_NUMBER","StartingSequenceNumber":")" +
            last.At("Records.0.SequenceNumber") + "\""}) {
    const Reply end = core.Records(core.Iterator(place));
    CHECK(end.At("Records") == "0");
    CHECK(end.At("NextShardIterator").empty());
    CHECK(end.At("ChildShards") == "2");
  }
}

}  // namespace
}  // namespace sluice::broker::kinesis
