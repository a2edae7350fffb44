// StartStreamEncryption: what is told of the stream and its records, to readers and subscribers, and when a key is
// missing.
#include "tests/broker/kinesis/consumers_fixture.h"
#include "tests/broker/kinesis/encryption_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("StartStreamEncryption: is told of the stream, its puts and its records", "[kinesis]") {
  EncryptedCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  CHECK(core.Put("k", "plain").At("EncryptionType").empty());
  CHECK(core.Start().body.empty());
  for (const std::string operation : {"DescribeStream", "DescribeStreamSummary"}) {
    const Reply told = core.MustRun(operation, R"({"StreamName":"orders"})");
    const std::string at = operation == "DescribeStream" ? "StreamDescription." : "StreamDescriptionSummary.";
    CHECK(told.At(at + "EncryptionType") == "KMS");
    CHECK(told.At(at + "KeyId") == "alias/aws/kinesis");
    CHECK(told.At(at + "StreamStatus") == "ACTIVE");
  }
  CHECK(core.Put("k", "sealed").At("EncryptionType") == "KMS");
  const Reply many =
      core.MustRun("PutRecords", R"({"StreamName":"orders","Records":[{"PartitionKey":"k","Data":"c2VhbGVk"}]})");
  CHECK(many.At("EncryptionType") == "KMS");
  core.Restart();
  const Reply all = core.All();
  CHECK(all.At("Records") == "3");
  const std::vector<std::string> types = {"", "KMS", "KMS"};
  for (std::size_t i = 0; i < types.size(); ++i) {
    CHECK(all.At("Records." + std::to_string(i) + ".EncryptionType") == types[i]);
  }
  CHECK(all.At("Records.1.Data") == protocol::EncodeBase64("sealed"));
}

TEST_CASE("StartStreamEncryption: again is another data key, and any KeyId is taken", "[kinesis]") {
  EncryptedCore core;
  CHECK(!core.Start("alias/aws/kinesis").error);
  CHECK(!core.Start("arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab").error);
  CHECK(!core.Start("alias/own").error);
  const auto keys = core.stream()->encryption.data_keys;
  REQUIRE(keys.size() == 3);
  CHECK(keys[0].master_key == "key-1");
  CHECK(keys[1].master_key == "key-1");
  CHECK(keys[2].master_key == "alias/own");  // a name of the key file chooses
  CHECK(keys[2].number == 3);
  CHECK(core.stream()->encryption.key_id == "alias/own");
}

TEST_CASE("StartStreamEncryption: refuses what is wrong", "[kinesis]") {
  EncryptedCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  CheckRefusals(core, "StartStreamEncryption");
}

TEST_CASE("StartStreamEncryption: without master keys it says which setting to set", "[kinesis]") {
  KinesisCore core;
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const Reply reply =
      core.Run("StartStreamEncryption", R"({"StreamName":"orders","EncryptionType":"KMS","KeyId":"k"})");
  CHECK(reply.error == ApiError("KMSNotFoundException",
                                "this broker has no master keys: set encryption.key_file to a file that 'sluice key "
                                "new' has made, and restart the broker"));
  CHECK(!core.Put("k", "plain").error);
}

TEST_CASE("StartStreamEncryption: a stream whose master key is gone tells so, others go on", "[kinesis]") {
  EncryptedCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"other","ShardCount":1})");
  core.Put("k", "plain");
  CHECK(!core.Start("alias/own").error);
  core.Put("k", "sealed");
  core.env().WriteByHand("/keys", kMasterKeys.substr(0, kMasterKeys.find('\n') + 1));
  core.Restart();
  CHECK(!core.Put("k", "v", "other").error);
  const ApiError gone(
      "KMSNotFoundException",
      "the stream is encrypted, and its data key 1 cannot be used: /keys has no key 'alias/own'; put it "
      "back into the file and restart the broker");
  CHECK(core.Run("PutRecord", R"({"StreamName":"orders","PartitionKey":"k","Data":"eA=="})").error == gone);
  CHECK(core.Run("PutRecords", R"({"StreamName":"orders","Records":[{"PartitionKey":"k","Data":"eA=="}]})").error ==
        gone);
  const Reply page = core.All();  // what stands before is given
  CHECK(page.At("Records") == "1");
  const std::string next = page.At("NextShardIterator");
  CHECK(core.Run("GetRecords", R"({"ShardIterator":")" + next + "\"}").error == gone);
  SECTION("a new data key makes puts work again") {
    CHECK(!core.Start().error);
    CHECK(core.Put("k", "more").At("EncryptionType") == "KMS");
    CHECK(core.Run("GetRecords", R"({"ShardIterator":")" + next + "\"}").error == gone);
  }
  SECTION("so does putting back the key, for all records") {
    core.env().WriteByHand("/keys", kMasterKeys);
    core.Restart();
    core.Put("k", "more");
    CHECK(core.All().At("Records") == "3");
  }
}

TEST_CASE("StartStreamEncryption: UPDATING for the configured time, told as it was until then", "[kinesis]") {
  EncryptedCore core(Encoding::kJson, {.update_delay_ms = 5'000});
  CHECK(!core.Start().error);
  const auto told = [&](std::string_view member) {
    return core.MustRun("DescribeStreamSummary", R"({"StreamName":"orders"})")
        .At("StreamDescriptionSummary." + std::string(member));
  };
  CHECK(told("StreamStatus") == "UPDATING");
  CHECK(told("EncryptionType") == "NONE");
  CHECK(core.Stop().type() == "ResourceInUseException");
  core.clock().AdvanceMs(5'000);
  CHECK(told("StreamStatus") == "ACTIVE");
  CHECK(told("EncryptionType") == "KMS");
}

TEST_CASE("StartStreamEncryption: 25 times a day where calls are limited, those that are refused not counted",
          "[kinesis]") {
  EncryptedCore core(Encoding::kJson, {.call_limits = true});
  for (int i = 0; i < 25; ++i) {
    CHECK(core.RunEncryption("StartStreamEncryption", "k", "NONE").error);
    CHECK(!core.Start().error);
    core.clock().AdvanceMs(1'000);
  }
  CHECK(core.Start().error == ApiError("LimitExceededException",
                                       "StartStreamEncryption has been called 25 times in the last 24 hours for stream "
                                       "orders under account 000000000000."));
  CHECK(!core.Stop().error);
  core.Restart();  // which forgets none of them
  core.clock().AdvanceMs(24 * 3'600'000 - 25'000 - 1);
  CHECK(core.Start().type() == "LimitExceededException");
  core.clock().AdvanceMs(1);
  CHECK(!core.Start().error);
  CHECK(core.Start().type() == "LimitExceededException");
}

TEST_CASE("StartStreamEncryption: subscribers get the records, marked, or why they cannot", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.env().WriteByHand("/keys", kMasterKeys);
  core.key_file = "/keys";
  core.Restart();
  const std::string arn = core.Arn("a");
  core.MustRun("StartStreamEncryption", R"({"StreamName":"orders","EncryptionType":"KMS","KeyId":"alias/own"})");
  core.Put("k", "sealed");
  {
    const auto stream = core.MustSubscribe(arn, R"("Type":"TRIM_HORIZON")");
    const Reply event = core.NextRecords(*stream);
    CHECK(DataOf(event, 0) == "sealed");
    CHECK(event.At("Records.0.EncryptionType") == "KMS");
  }
  core.env().WriteByHand("/keys", kMasterKeys.substr(0, kMasterKeys.find('\n') + 1));
  core.Restart();
  const auto stream = core.MustSubscribe(arn, R"("Type":"TRIM_HORIZON")");
  const auto event = stream->Next();
  REQUIRE(event.has_value());
  CHECK(event->headers.at(":exception-type") == "KMSNotFoundException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
