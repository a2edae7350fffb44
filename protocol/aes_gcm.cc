// OpenSSL's EVP interface. A context is made for each call, so that no key schedule outlives its use.
#include "protocol/aes_gcm.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>

#include "protocol/check.h"
#include "protocol/freer.h"

namespace sluice::protocol {
namespace {

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freer<EVP_CIPHER_CTX_free>>;

// Looked up once: it takes longer than encrypting a small batch.
const EVP_CIPHER* Cipher() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  SLUICE_CHECK(cipher != nullptr);
  return cipher;
}

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* Bytes(char* to) { return reinterpret_cast<unsigned char*>(to); }

/// A context that has taken key, nonce and associated data. OpenSSL fails here only without memory.
CipherContext Begin(const GcmInput& input, bool encrypt) {
  CipherContext context(EVP_CIPHER_CTX_new());
  SLUICE_CHECK(context != nullptr);
  const auto* nonce = reinterpret_cast<const unsigned char*>(input.nonce.data());
  int written = 0;
  const bool begun =
      EVP_CipherInit_ex2(context.get(), Cipher(), Bytes(input.key.bytes()), nonce, encrypt ? 1 : 0, nullptr) == 1 &&
      EVP_CipherUpdate(context.get(), nullptr, &written, Bytes(input.bound), static_cast<int>(input.bound.size())) == 1;
  SLUICE_CHECK(begun);
  return context;
}

void Update(EVP_CIPHER_CTX* context, std::string_view in, char* out) {
  int written = 0;
  const bool updated = EVP_CipherUpdate(context, Bytes(out), &written, Bytes(in), static_cast<int>(in.size())) == 1;
  SLUICE_CHECK(updated && static_cast<std::size_t>(written) == in.size());
}

}  // namespace

Result<SecretKey> SecretKey::Random() {
  SecretKey key;
  if (Status status = FillRandom(key.bytes_); !status.ok()) return Error(std::move(status));
  return key;
}

SecretKey SecretKey::FromBytes(std::string_view bytes) {
  SLUICE_CHECK(bytes.size() == kSecretKeyBytes);
  SecretKey key;
  std::ranges::copy(bytes, key.bytes_.begin());
  return key;
}

SecretKey::SecretKey(SecretKey&& other) noexcept : bytes_(other.bytes_) { Wipe(other.bytes_); }

SecretKey& SecretKey::operator=(SecretKey&& other) noexcept {
  if (this == &other) return *this;
  bytes_ = other.bytes_;
  Wipe(other.bytes_);
  return *this;
}

SecretKey::~SecretKey() { Wipe(bytes_); }

Status FillRandom(std::span<char> bytes) {
  if (RAND_bytes(Bytes(bytes.data()), static_cast<int>(bytes.size())) == 1) return {};
  return Status(Code::kUnavailable, "no random bytes for a key: the system gives none");
}

void Wipe(std::span<char> bytes) { OPENSSL_cleanse(bytes.data(), bytes.size()); }

void GcmSeal(const GcmInput& input, std::string_view plain, char* out) {
  const CipherContext context = Begin(input, true);
  Update(context.get(), plain, out);
  int written = 0;
  const bool sealed = EVP_CipherFinal_ex(context.get(), Bytes(out + plain.size()), &written) == 1 &&
                      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(kGcmTagBytes),
                                          out + plain.size()) == 1;
  SLUICE_CHECK(sealed && written == 0);
}

bool GcmOpen(const GcmInput& input, std::string_view sealed, char* out) {
  SLUICE_CHECK(sealed.size() >= kGcmTagBytes);
  const std::string_view text = sealed.substr(0, sealed.size() - kGcmTagBytes);
  std::array<char, kGcmTagBytes> tag;
  std::ranges::copy(sealed.substr(text.size()), tag.begin());
  const CipherContext context = Begin(input, false);
  const bool tag_set =
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()), tag.data()) == 1;
  SLUICE_CHECK(tag_set);
  Update(context.get(), text, out);
  int written = 0;
  return EVP_CipherFinal_ex(context.get(), Bytes(out + text.size()), &written) == 1;
}

}  // namespace sluice::protocol
