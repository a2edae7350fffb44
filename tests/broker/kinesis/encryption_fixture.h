// A stream in a broker with a key file, for the tests of StartStreamEncryption and StopStreamEncryption.
#pragma once

#include <string>
#include <string_view>

#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {

inline constexpr std::string_view kMasterKeys =
    "key-1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    "alias/own //79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=\n";

struct EncryptedCore : KinesisCore {
  explicit EncryptedCore(Encoding encoding = Encoding::kJson, KinesisOptions options = {})
      : KinesisCore(encoding, 1, {}, options) {
    env().WriteByHand("/keys", kMasterKeys);
    key_file = "/keys";
    Restart();
    MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  }
  Reply Start(std::string_view key_id = "alias/aws/kinesis") { return RunEncryption("StartStreamEncryption", key_id); }
  Reply Stop(std::string_view key_id = "alias/aws/kinesis") { return RunEncryption("StopStreamEncryption", key_id); }
  Reply RunEncryption(std::string_view operation, std::string_view key_id, std::string_view type = "KMS") {
    return Run(operation, R"({"StreamName":"orders","EncryptionType":")" + std::string(type) + R"(","KeyId":")" +
                              std::string(key_id) + "\"}");
  }
  Reply All() { return Records(Iterator(R"("ShardIteratorType":"TRIM_HORIZON")")); }
  StreamPtr stream() { return *catalog().Find("orders"); }
};

/// What both operations refuse.
inline void CheckRefusals(EncryptedCore& core, const std::string& operation) {
  CHECK(core.RunEncryption(operation, "k", "NONE").error ==
        ApiError("InvalidArgumentException",
                 "EncryptionType NONE is not valid for " + operation + "; the only valid value is KMS."));
  CHECK(core.RunEncryption(operation, "k", "AES").type() == "ValidationException");
  CHECK(core.RunEncryption(operation, "").type() == "ValidationException");
  CHECK(core.RunEncryption(operation, std::string(2'049, 'k')).type() == "ValidationException");
  CHECK(core.Run(operation, R"({"StreamName":"orders","EncryptionType":"KMS"})").type() == "ValidationException");
  CHECK(core.Run(operation, R"({"StreamName":"none","EncryptionType":"KMS","KeyId":"k"})").error ==
        ApiError("ResourceNotFoundException", "Stream none under account 000000000000 not found."));
}

}  // namespace sluice::broker::kinesis
