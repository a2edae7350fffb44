// UpdateStreamRecordDistributionStrategy: an on-demand stream spreads its records whatever their keys, and needs none.
#include <set>

#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

Reply Update(KinesisCore& core, std::string_view strategy, std::string_view stream = "orders") {
  return core.Run("UpdateStreamRecordDistributionStrategy", R"({"StreamName":")" + std::string(stream) +
                                                                R"(","RecordDistributionStrategy":")" +
                                                                std::string(strategy) + "\"}");
}

std::string Told(KinesisCore& core) {
  return core.MustRun("DescribeStreamSummary", R"({"StreamName":"orders"})")
      .At("StreamDescriptionSummary.RecordDistributionStrategy");
}

TEST_CASE("UpdateStreamRecordDistributionStrategy: one key goes to all shards, or none is needed", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","StreamModeDetails":{"StreamMode":"ON_DEMAND"}})");
  CHECK(Told(core) == "USER_PARTITION_KEY");
  CHECK(Update(core, "AUTO").body ==
        R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders","StreamName":"orders",)"
        R"("RecordDistributionStrategy":"AUTO"})");
  core.Restart();
  CHECK(Told(core) == "AUTO");
  std::set<std::string> shards;
  for (int i = 0; i < 100; ++i) shards.insert(core.Put("one-key", "data").At("ShardId"));
  CHECK(shards.size() == 4);
  const Reply without = core.MustRun("PutRecords", R"({"StreamName":"orders","Records":[{"Data":"YQ=="}]})");
  CHECK(without.At("FailedRecordCount") == "0");
  CHECK(core.Run("PutRecord", R"({"StreamName":"orders","PartitionKey":"k","Data":"","SequenceNumberForOrdering":"0"})")
            .type() == "InvalidArgumentException");
}

TEST_CASE("UpdateStreamRecordDistributionStrategy: back to partition keys", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","StreamModeDetails":{"StreamMode":"ON_DEMAND"}})");
  CHECK(!Update(core, "AUTO").error);
  const bool by_call = GENERATE(true, false);
  if (by_call) {
    CHECK(!Update(core, "USER_PARTITION_KEY").error);
  } else {  // with the mode
    core.MustRun("UpdateStreamMode", R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders",)"
                                     R"("StreamModeDetails":{"StreamMode":"PROVISIONED"}})");
  }
  CHECK(Told(core) == (by_call ? "USER_PARTITION_KEY" : ""));
  const std::string shard = core.Put("one-key", "data").At("ShardId");
  for (int i = 0; i < 20; ++i) CHECK(core.Put("one-key", "data").At("ShardId") == shard);
  CHECK(core.Run("PutRecord", R"({"StreamName":"orders","Data":""})").message() ==
        "1 validation error detected: Value null at 'partitionKey' failed to satisfy constraint: Member must not be "
        "null");
  CHECK(core.Run("PutRecords", R"({"StreamName":"orders","Records":[{"Data":""},{"Data":"","PartitionKey":"k"},)"
                               R"({"Data":""}]})")
            .message() ==
        "2 validation errors detected: Value null at 'records.1.member.partitionKey' failed to satisfy constraint: "
        "Member must not be null; Value null at 'records.3.member.partitionKey' failed to satisfy constraint: Member "
        "must not be null");
}

TEST_CASE("UpdateStreamRecordDistributionStrategy: refusals", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  CHECK(Update(core, "AUTO").type() == "InvalidArgumentException");
  CHECK(!Update(core, "USER_PARTITION_KEY").error);
  CHECK(Update(core, "RANDOM").type() == "ValidationException");
  CHECK(Update(core, "AUTO", "none").type() == "ResourceNotFoundException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
