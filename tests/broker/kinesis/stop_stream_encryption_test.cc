// StopStreamEncryption: records are stored plain from then on, those that are encrypted are read as before.
#include "tests/broker/kinesis/encryption_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("StopStreamEncryption: is told of the stream, its puts and its records", "[kinesis]") {
  EncryptedCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.Put("k", "plain");
  CHECK(!core.Start().error);
  core.Put("k", "sealed");
  CHECK(core.Stop().body.empty());
  CHECK(core.Put("k", "plain again").At("EncryptionType").empty());
  const Reply told = core.MustRun("DescribeStream", R"({"StreamName":"orders"})");
  CHECK(told.At("StreamDescription.EncryptionType") == "NONE");
  CHECK(told.At("StreamDescription.KeyId").empty());
  core.Restart();
  const Reply all = core.All();
  CHECK(all.At("Records") == "3");
  CHECK(all.At("Records.0.EncryptionType").empty());
  CHECK(all.At("Records.1.EncryptionType") == "KMS");
  CHECK(all.At("Records.1.Data") == protocol::EncodeBase64("sealed"));
  CHECK(all.At("Records.2.EncryptionType").empty());
  CHECK(all.At("Records.2.Data") == protocol::EncodeBase64("plain again"));
}

TEST_CASE("StopStreamEncryption: refuses what is wrong", "[kinesis]") {
  EncryptedCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  CheckRefusals(core, "StopStreamEncryption");
}

}  // namespace
}  // namespace sluice::broker::kinesis
