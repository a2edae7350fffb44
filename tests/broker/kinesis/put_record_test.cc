// PutRecord: where records go, what is refused, and that an answer means durable.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("PutRecord: answers shard and sequence number", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor), GENERATE(1u, 2u));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":4})");
  // protocol/BATCH.md: user-1 belongs to shard 3 of 4, user-2 to shard 0.
  const Reply first = core.Put("user-1", "hello");
  CHECK(first.At("ShardId") == "shardId-000000000003");
  CHECK(core.Put("user-2", "hello").At("ShardId") == "shardId-000000000000");
  const Reply second = core.Put("user-1", "");
  CHECK(first.At("SequenceNumber").size() == 56);
  CHECK(second.At("SequenceNumber") > first.At("SequenceNumber"));
  CHECK(first.At("EncryptionType").empty());
}

TEST_CASE("PutRecord: ExplicitHashKey chooses the shard", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":4})");
  const auto put = [&](std::string_view hash_key) {
    return core.Run("PutRecord", R"({"StreamName":"orders","PartitionKey":"user-1","Data":"","ExplicitHashKey":")" +
                                     std::string(hash_key) + "\"}");
  };
  CHECK(put("0").At("ShardId") == "shardId-000000000000");
  CHECK(put("340282366920938463463374607431768211455").At("ShardId") == "shardId-000000000003");
  const Reply beyond = put("340282366920938463463374607431768211456");
  CHECK(beyond.type() == "InvalidArgumentException");
  CHECK(beyond.message() ==
        "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was "
        "340282366920938463463374607431768211456");
  CHECK(put("01").type() == "ValidationException");
}

TEST_CASE("PutRecord: a stream by its ARN", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const auto put = [&](std::string_view members) {
    return core.Run("PutRecord", R"({"PartitionKey":"k","Data":"",)" + std::string(members) + "}");
  };
  const std::string arn = R"("StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders")";
  CHECK(!put(arn).error);
  CHECK(!put(arn + R"(,"StreamName":"orders")").error);
  CHECK(put(arn + R"(,"StreamName":"other")").message() ==
        "Input stream name other doesn't match the inferred name in stream arn orders");
  const std::string elsewhere = "arn:aws:kinesis:eu-west-1:000000000000:stream/orders";
  CHECK(put(R"("StreamARN":")" + elsewhere + "\"").message() ==
        "The region specified in the ARN '" + elsewhere + "' does not match the endpoint region");
  CHECK(put(R"("StreamARN":"arn:aws:kinesis:us-east-1:999999999999:stream/orders")").error ==
        ApiError("UnrecognizedClientException", "No account found for the given parameters"));
  CHECK(core.Run("PutRecord", R"({"PartitionKey":"k","Data":""})").error ==
        ApiError("InvalidArgumentException", "Stream arn and stream name can't be empty at the same time"));
}

TEST_CASE("PutRecord: streams that are not there, or not for users", "[kinesis]") {
  KinesisCore core;
  REQUIRE(core.catalog().Create("delivery:lake", 1, {}, true).has_value());
  CHECK(core.Run("PutRecord", R"({"StreamName":"orders","PartitionKey":"k","Data":""})").error ==
        ApiError("ResourceNotFoundException", "Stream orders under account 000000000000 not found."));
  const std::string hidden = R"("arn:aws:kinesis:us-east-1:000000000000:stream/delivery:lake")";
  CHECK(core.Run("PutRecord", R"({"StreamARN":)" + hidden + R"(,"PartitionKey":"k","Data":""})").type() ==
        "ResourceNotFoundException");
}

TEST_CASE("PutRecord: a record has the stream's largest size at most, with its key", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  core.MustRun("CreateStream", R"({"StreamName":"large","ShardCount":1,"MaxRecordSizeInKiB":2048})");
  const auto put = [&](std::string_view stream, std::size_t bytes) {
    return core.Run("PutRecord", R"({"StreamName":")" + std::string(stream) + R"(","PartitionKey":"k","Data":")" +
                                     protocol::EncodeBase64(std::string(bytes, 'x')) + "\"}");
  };
  CHECK(!put("orders", (1u << 20) - 1).error);
  CHECK(put("orders", 1u << 20).error ==
        ApiError("ValidationException",
                 "1 validation error detected: Value at 'data' failed to satisfy constraint: Member must have length "
                 "less than or equal to 1048576"));
  CHECK(!put("large", 1u << 20).error);
  CHECK(put("large", 2u << 20).type() == "ValidationException");
}

TEST_CASE("PutRecord: SequenceNumberForOrdering is an earlier number", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const auto put = [&](const std::string& number) {
    return core.Run(
        "PutRecord",
        R"({"StreamName":"orders","PartitionKey":"k","Data":"","SequenceNumberForOrdering":")" + number + "\"}");
  };
  CHECK(!put("0").error);
  const std::string first = core.Put("k", "").At("SequenceNumber");
  const Reply second = put(first);
  REQUIRE(!second.error);
  CHECK(second.At("SequenceNumber") > first);
  for (const std::string& bad : {std::string("123456789012345678901234567890123456789"), std::string(56, '9')}) {
    CHECK(put(bad).error ==
          ApiError("InvalidArgumentException", "ExclusiveMinimumSequenceNumber " + bad +
                                                   " used in PutRecord on stream orders under account 000000000000 is "
                                                   "invalid."));
  }
}

TEST_CASE("PutRecord: DryRun puts nothing", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  CHECK(core.Run("PutRecord", R"({"StreamName":"orders","PartitionKey":"k","Data":"","DryRun":true})").error ==
        ApiError("DryRunOperationException",
                 "DryRunOperation validation succeeded while calling PutRecord operation.: Request would have "
                 "succeeded, but DryRun flag is set."));
  CHECK(core.Records(core.Iterator(R"("ShardIteratorType":"TRIM_HORIZON")")).At("Records") == "0");
}

TEST_CASE("PutRecord: what is missing is named", "[kinesis]") {
  KinesisCore core;
  const Reply reply = core.Run("PutRecord", R"({"StreamName":"a b"})");
  CHECK(reply.type() == "ValidationException");
  CHECK(
      reply.message().starts_with("2 validation errors detected: Value 'a b' at 'streamName' failed to satisfy "
                                  "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; "
                                  "Value null at 'data'"));
}

}  // namespace
}  // namespace sluice::broker::kinesis
