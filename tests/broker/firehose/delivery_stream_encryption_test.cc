// StartDeliveryStreamEncryption, StopDeliveryStreamEncryption: what waits for delivery is encrypted, and arrives.
#include "tests/broker/firehose/firehose_fixture.h"

namespace sluice::broker::firehose {
namespace {

constexpr std::string_view kKeyArn = "arn:aws:kms:us-east-1:123456789012:key/k-1";

std::string Managed(std::string_view more) {
  return fmt::format(R"({{"DeliveryStreamName":"orders","DeliveryStreamEncryptionConfigurationInput":{{{}}}}})", more);
}

/// Whether a record is in the hidden stream as it was put.
bool StoredPlain(FirehoseCore& core, std::string_view text) {
  const auto stream = core.core.catalog->Find("delivery:orders");
  REQUIRE(stream.has_value());
  bool found = false;
  for (const ShardInfo& shard : (*stream)->all_shards) {
    const auto run = core.core.store.shard({(*stream)->id, shard.shard}).ReadBlocking(Offset(0), 1u << 20);
    REQUIRE(run.has_value());
    for (const protocol::Frame& frame : run->frames) found = found || frame.batch().contains(text);
  }
  return found;
}

TEST_CASE("DeliveryStreamEncryption: on, with another key, and off", "[firehose]") {
  FirehoseCore core({}, {}, NewMasterKeys());
  core.Create("orders");
  CHECK(core.DescribedAt("orders", "DeliveryStreamEncryptionConfiguration.Status") == "DISABLED");
  CHECK(core.Put("orders", "plain-1").At("Encrypted") == "false");
  core.MustRun("StartDeliveryStreamEncryption", R"({"DeliveryStreamName":"orders"})");
  CHECK(core.DescribedAt("orders", "DeliveryStreamEncryptionConfiguration.Status") == "ENABLED");
  CHECK(core.DescribedAt("orders", "DeliveryStreamEncryptionConfiguration.KeyType") == "AWS_OWNED_CMK");
  CHECK(core.Put("orders", "secret-2").At("Encrypted") == "true");
  core.MustRun("StartDeliveryStreamEncryption",
               Managed(fmt::format(R"("KeyType":"CUSTOMER_MANAGED_CMK","KeyARN":"{}")", kKeyArn)));
  CHECK(core.DescribedAt("orders", "DeliveryStreamEncryptionConfiguration.KeyType") == "CUSTOMER_MANAGED_CMK");
  CHECK(core.DescribedAt("orders", "DeliveryStreamEncryptionConfiguration.KeyARN") == kKeyArn);
  CHECK(core.MustRun("PutRecordBatch", R"({"DeliveryStreamName":"orders","Records":[{"Data":"c2VjcmV0LTM="}]})")
            .At("Encrypted") == "true");
  core.MustRun("StopDeliveryStreamEncryption", R"({"DeliveryStreamName":"orders"})");
  CHECK(core.DescribedAt("orders", "DeliveryStreamEncryptionConfiguration.Status") == "DISABLED");
  CHECK(core.Put("orders", "plain-4").At("Encrypted") == "false");

  CHECK(StoredPlain(core, "plain-1"));
  CHECK(!StoredPlain(core, "secret-2"));
  CHECK(!StoredPlain(core, "secret-3"));
  CHECK(StoredPlain(core, "plain-4"));
  const std::string lake = core.Delivered("orders");
  for (const std::string_view record : {"plain-1", "secret-2", "secret-3", "plain-4"}) CHECK(lake.contains(record));
}

TEST_CASE("DeliveryStreamEncryption: refusals", "[firehose]") {
  FirehoseCore core;  // without master keys
  REQUIRE(core.core.catalog->Create("clicks", 1, {}).has_value());
  core.CreateFromStream("lake", "clicks");
  core.Create("orders");
  const Reply no_keys = core.Run("StartDeliveryStreamEncryption", R"({"DeliveryStreamName":"orders"})");
  CHECK(no_keys.type() == "InvalidKMSResourceException");
  CHECK(no_keys.message().contains("set encryption.key_file"));
  CHECK(core.DescribedAt("orders", "DeliveryStreamEncryptionConfiguration.Status") == "DISABLED");
  CHECK(core.Run("StartDeliveryStreamEncryption", Managed(R"("KeyType":"CUSTOMER_MANAGED_CMK")")).error ==
        ApiError("InvalidArgumentException", "KeyARN is required for KeyType CUSTOMER_MANAGED_CMK."));
  CHECK(core.Run("StartDeliveryStreamEncryption",
                 Managed(fmt::format(R"("KeyType":"AWS_OWNED_CMK","KeyARN":"{}")", kKeyArn)))
            .error ==
        ApiError("InvalidArgumentException", "KeyARN is only applicable for KeyType CUSTOMER_MANAGED_CMK."));
  for (const std::string_view operation : {"StartDeliveryStreamEncryption", "StopDeliveryStreamEncryption"}) {
    const Reply of_stream = core.Run(operation, R"({"DeliveryStreamName":"lake"})");
    CHECK(of_stream.type() == "InvalidArgumentException");
    CHECK(of_stream.message().starts_with("Server-side encryption is only applicable for DirectPut stream type"));
    CHECK(core.Run(operation, R"({"DeliveryStreamName":"none"})").type() == "ResourceNotFoundException");
  }
  core.MustRun("StopDeliveryStreamEncryption", R"({"DeliveryStreamName":"orders"})");  // nothing to stop is no error
}

}  // namespace
}  // namespace sluice::broker::firehose
