// ListShards: the shards, pages of them, filters.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("ListShards: ranges and starting numbers", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":2})");
  CHECK(core.MustRun("ListShards", R"({"StreamName":"orders"})").body ==
        R"({"Shards":[{"ShardId":"shardId-000000000000","HashKeyRange":{"StartingHashKey":"0",)"
        R"("EndingHashKey":"170141183460469231731687303715884105727"},"SequenceNumberRange":)"
        R"({"StartingSequenceNumber":"49646437577108476416916876405825929308762319225075269634"}},)"
        R"({"ShardId":"shardId-000000000001","HashKeyRange":{"StartingHashKey":)"
        R"("170141183460469231731687303715884105728","EndingHashKey":"340282366920938463463374607431768211455"},)"
        R"("SequenceNumberRange":{"StartingSequenceNumber":)"
        R"("49646437577130777162115407028967465027034967586581250066"}}]})");
}

TEST_CASE("ListShards: pages by NextToken", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":5})");
  const Reply first = core.MustRun("ListShards", R"({"StreamName":"orders","MaxResults":2})");
  CHECK(first.At("Shards") == "2");
  const std::string token = R"("NextToken":")" + first.At("NextToken") + "\"";
  const Reply second = core.MustRun("ListShards", "{" + token + R"(,"MaxResults":2})");
  CHECK(second.At("Shards.0.ShardId") == "shardId-000000000002");
  const Reply last = core.MustRun(
      "ListShards", R"({"StreamName":"orders","NextToken":")" + second.At("NextToken") + "\"}");  // both are taken
  CHECK(last.At("Shards") == "1");
  CHECK(last.At("NextToken").empty());
  CHECK(core.Run("ListShards", "{" + token + R"(,"ShardFilter":{"Type":"AT_LATEST"}})").message() ==
        "NextToken and ShardFilter cannot be provided together.");
  core.clock().AdvanceMs(300'001);
  CHECK(core.Run("ListShards", "{" + token + "}").type() == "ExpiredNextTokenException");
}

TEST_CASE("ListShards: begins behind a shard", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":3})");
  const auto first = [&](std::string_view members) {
    return core.MustRun("ListShards", R"({"StreamName":"orders",)" + std::string(members) + "}").At("Shards.0.ShardId");
  };
  CHECK(first(R"("ExclusiveStartShardId":"shardId-000000000001")") == "shardId-000000000002");
  CHECK(first(R"("ExclusiveStartShardId":"shardId-7")").empty());
  CHECK(first(R"("ShardFilter":{"Type":"AFTER_SHARD_ID","ShardId":"shardId-0"})") == "shardId-000000000001");
  CHECK(first(R"("ShardFilter":{"Type":"AT_LATEST","ShardId":"shardId-0"})") == "shardId-000000000001");
  CHECK(core.Run("ListShards", R"({"StreamName":"orders","ExclusiveStartShardId":"x-y"})").message() ==
        "Could not find shard x-y in stream orders under account 000000000000.");
}

TEST_CASE("ListShards: filters by time", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":2})");
  const auto filtered = [&](std::string_view filter) {
    return core.Run("ListShards", R"({"StreamName":"orders","ShardFilter":{)" + std::string(filter) + "}}");
  };
  for (const std::string_view type : {"AT_TRIM_HORIZON", "FROM_TRIM_HORIZON", "AT_LATEST"}) {
    CHECK(filtered(R"("Type":")" + std::string(type) + "\"").At("Shards") == "2");
  }
  CHECK(filtered(R"("Type":"AT_TIMESTAMP","Timestamp":1700000000)").At("Shards") == "2");
  CHECK(filtered(R"("Type":"FROM_TIMESTAMP","Timestamp":1600000000)").At("Shards") == "2");
  CHECK(filtered(R"("Type":"AT_TIMESTAMP","Timestamp":1600000000)").message() ==
        "ShardFilter Timestamp cannot be older than TRIM_HORIZON of the stream.");
  CHECK(filtered(R"("Type":"FROM_TIMESTAMP","Timestamp":1700000001)").message() ==
        "ShardFilter Timestamp must not be greater than current time.");
  CHECK(filtered(R"("Type":"AT_TIMESTAMP")").message() ==
        "Timestamp must be provided when the ShardFilter Type is AT_TIMESTAMP.");
  CHECK(filtered(R"("Type":"AFTER_SHARD_ID")").message() ==
        "ShardId must be provided when the ShardFilter Type is AFTER_SHARD_ID.");
}

TEST_CASE("ListShards: which stream", "[kinesis]") {
  KinesisCore core;
  CHECK(core.Run("ListShards", "{}").error ==
        ApiError("InvalidArgumentException", "Either NextToken or StreamName should be provided."));
  CHECK(core.Run("ListShards", R"({"NextToken":"AAAA"})").error ==
        ApiError("InvalidArgumentException", "Invalid NextToken."));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  core.MustRun("ListShards", R"({"StreamName":"orders","StreamCreationTimestamp":1700000000})");
  CHECK(core.Run("ListShards", R"({"StreamName":"orders","StreamCreationTimestamp":1600000000})").type() ==
        "ResourceNotFoundException");
}

TEST_CASE("ListShards: filters tell shards by when they were open", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const auto now_s = [&] { return std::to_string(core.clock().WallMs() / 1'000); };
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  core.clock().AdvanceMs(3'600'000);
  const std::string before = now_s();
  core.clock().AdvanceMs(10'000);
  core.MustRun("UpdateShardCount", R"({"StreamName":"orders","TargetShardCount":2,"ScalingType":"UNIFORM_SCALING"})");
  core.clock().AdvanceMs(10'000);
  const std::string between = now_s();
  core.clock().AdvanceMs(10'000);
  core.MustRun("MergeShards",
               R"({"StreamName":"orders","ShardToMerge":"shardId-1","AdjacentShardToMerge":"shardId-2"})");
  core.clock().AdvanceMs(10'000);
  const auto listed = [&](std::string_view filter) {
    std::string request = R"({"StreamName":"orders","MaxResults":1,"ShardFilter":{)" + std::string(filter) + "}}";
    std::string names;
    for (;;) {  // the pages after the first one know the filter by their token
      const Reply page = core.MustRun("ListShards", request);
      names += page.At("Shards.0.ShardId").substr(std::min<std::size_t>(19, page.At("Shards.0.ShardId").size()));
      if (page.At("NextToken").empty()) return names;
      request = R"({"MaxResults":1,"NextToken":")" + page.At("NextToken") + "\"}";
    }
  };
  CHECK(listed(R"("Type":"AFTER_SHARD_ID","ShardId":"shardId-0")") == "123");
  CHECK(listed(R"("Type":"AT_LATEST")") == "3");
  CHECK(listed(R"("Type":"AT_TRIM_HORIZON")") == "0");
  CHECK(listed(R"("Type":"FROM_TRIM_HORIZON")") == "0123");
  CHECK(listed(R"("Type":"AT_TIMESTAMP","Timestamp":)" + before) == "0");
  CHECK(listed(R"("Type":"FROM_TIMESTAMP","Timestamp":)" + before) == "0123");
  CHECK(listed(R"("Type":"AT_TIMESTAMP","Timestamp":)" + between) == "12");
  CHECK(listed(R"("Type":"FROM_TIMESTAMP","Timestamp":)" + between) == "123");
  CHECK(listed(R"("Type":"AT_TIMESTAMP","Timestamp":)" + now_s()) == "3");
  CHECK(core.MustRun("ListShards", R"({"StreamName":"orders"})").At("Shards") == "4");
  // A day later the horizon has passed the reshards; the shards are listed until they are forgotten.
  core.clock().AdvanceMs(24 * 3'600'000);
  CHECK(listed(R"("Type":"AT_TRIM_HORIZON")") == "3");
  CHECK(listed(R"("Type":"FROM_TRIM_HORIZON")") == "3");
}

}  // namespace
}  // namespace sluice::broker::kinesis
