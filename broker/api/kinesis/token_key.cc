// 32 bytes under one key of the metadata store. They come from OpenSSL's generator: storage/env's numbers are for what
// need not be kept secret.
#include "broker/api/kinesis/token_key.h"

#include <openssl/rand.h>

#include <algorithm>
#include <string>

namespace sluice::broker::kinesis {
namespace {

constexpr std::string_view kKeyName = "kinesis/token-key";

Result<TokenKey> ParseKey(const std::string& stored) {
  TokenKey key;
  if (stored.size() != key.size()) {
    return Error(Code::kCorruption, "metadata key '" + std::string(kKeyName) + "' does not hold 32 bytes");
  }
  std::ranges::copy(stored, key.begin());
  return key;
}

}  // namespace

Result<TokenKey> LoadOrMakeTokenKey(storage::MetadataStore& metadata) {
  const auto stored = metadata.Get(kKeyName);
  if (!stored) return Error(stored.error());
  if (*stored) return ParseKey(**stored);
  TokenKey key;
  if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1) {
    return Error(Code::kUnavailable, "no random bytes for the key of shard iterators: the system gives none");
  }
  storage::Transaction transaction;
  transaction.If(std::string(kKeyName), std::nullopt);
  transaction.Put(std::string(kKeyName), std::string(key.begin(), key.end()));
  Status status = metadata.Commit(transaction);
  if (!status.ok()) return Error(status.WithContext("keeping the key of shard iterators"));
  return key;
}

}  // namespace sluice::broker::kinesis
