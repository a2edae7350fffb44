// HMAC-SHA-256 by OpenSSL; seals are compared in constant time.
#include "broker/api/kinesis/token_seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "protocol/base64.h"
#include "protocol/check.h"

namespace sluice::broker::kinesis {
namespace {

std::array<unsigned char, kSealBytes> SealOf(std::string_view bytes, const TokenKey& key) {
  std::array<unsigned char, kSealBytes> seal{};
  unsigned length = 0;
  const unsigned char* made =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
           bytes.size(), seal.data(), &length);
  SLUICE_CHECK(made != nullptr && length == kSealBytes);
  return seal;
}

}  // namespace

std::string Seal(std::string bytes, const TokenKey& key) {
  const auto seal = SealOf(bytes, key);
  bytes.append(reinterpret_cast<const char*>(seal.data()), seal.size());
  return protocol::EncodeBase64(bytes);
}

std::optional<std::string> Unseal(std::string_view text, const TokenKey& key) {
  auto bytes = protocol::DecodeBase64(text);
  if (!bytes || bytes->size() < kSealBytes) return std::nullopt;
  const std::size_t size = bytes->size() - kSealBytes;
  const auto seal = SealOf(std::string_view(*bytes).substr(0, size), key);
  if (CRYPTO_memcmp(seal.data(), bytes->data() + size, kSealBytes) != 0) return std::nullopt;
  bytes->resize(size);
  return std::move(*bytes);
}

}  // namespace sluice::broker::kinesis
