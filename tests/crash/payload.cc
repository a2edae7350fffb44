// SHAKE-128 gives as many bytes as a record needs from its name.
#include "tests/crash/payload.h"

#include <openssl/evp.h>

#include <memory>

#include "protocol/check.h"

namespace sluice::crash {
namespace {

using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

std::string Shake128(std::string_view seed, std::size_t bytes) {
  const DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::string out(bytes, '\0');
  SLUICE_CHECK(EVP_DigestInit_ex(context.get(), EVP_shake128(), nullptr) == 1);
  SLUICE_CHECK(EVP_DigestUpdate(context.get(), seed.data(), seed.size()) == 1);
  SLUICE_CHECK(EVP_DigestFinalXOF(context.get(), reinterpret_cast<unsigned char*>(out.data()), bytes) == 1);
  return out;
}

}  // namespace

std::string RecordKey(std::string_view producer, std::uint64_t sequence) {
  return std::string(producer) + ":" + std::to_string(sequence);
}

std::string Payload(std::string_view producer, std::uint64_t sequence) {
  const std::string key = RecordKey(producer, sequence);
  const std::string head = Shake128(key, 4);
  std::uint32_t number = 0;
  for (int i = 3; i >= 0; --i) number = number << 8 | static_cast<unsigned char>(head[static_cast<std::size_t>(i)]);
  const std::size_t size = (number >> 8) % 50 == 0 ? number % 60'000 : 10 + number % 200;
  return Shake128(key, 4 + size).substr(4);
}

std::string Md5Hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  SLUICE_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_md5(), nullptr) == 1);
  return Hex({reinterpret_cast<const char*>(digest), size});
}

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace sluice::crash
