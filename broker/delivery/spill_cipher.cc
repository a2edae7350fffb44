// The place in the file is the nonce.
#include "broker/delivery/spill_cipher.h"

#include <fmt/format.h>

#include <cstring>

namespace sluice::delivery {
namespace {

protocol::GcmNonce NonceOf(std::uint64_t offset) {
  protocol::GcmNonce nonce{};
  static_assert(sizeof(offset) <= sizeof(nonce));
  std::memcpy(nonce.data(), &offset, sizeof(offset));
  return nonce;
}

std::string ContextOf(std::string_view name) { return fmt::format("sluice delivery spill {}", name); }

}  // namespace

Result<SpillCipher> SpillCipher::New() {
  Result<protocol::SecretKey> key = protocol::SecretKey::Random();
  if (!key) return Error(key.error());
  return SpillCipher(std::move(*key));
}

Result<SpillCipher> SpillCipher::Unwrap(broker::KeyProvider& keys, std::string_view name,
                                        const WrappedSpillKey& wrapped) {
  Result<protocol::SecretKey> key = keys.Unwrap(wrapped.master_key, ContextOf(name), wrapped.bytes);
  if (!key) return Error(key.error());
  return SpillCipher(std::move(*key));
}

Result<WrappedSpillKey> SpillCipher::Wrap(broker::KeyProvider& keys, std::string_view name) const {
  WrappedSpillKey wrapped{.master_key = keys.Current(), .bytes = {}};
  Result<std::string> bytes = keys.Wrap(wrapped.master_key, ContextOf(name), key_);
  if (!bytes) return Error(bytes.error());
  wrapped.bytes = std::move(*bytes);
  return wrapped;
}

std::string SpillCipher::Seal(std::uint64_t offset, std::string_view bytes) const {
  const protocol::GcmNonce nonce = NonceOf(offset);
  std::string sealed(bytes.size() + protocol::kGcmTagBytes, '\0');
  protocol::GcmSeal({.key = key_, .nonce = nonce, .bound = {}}, bytes, sealed.data());
  return sealed;
}

Result<std::string> SpillCipher::Open(std::uint64_t offset, std::string_view sealed) const {
  const protocol::GcmNonce nonce = NonceOf(offset);
  if (sealed.size() < protocol::kGcmTagBytes) return Error(Code::kCorruption, "too short to be encrypted");
  std::string bytes(sealed.size() - protocol::kGcmTagBytes, '\0');
  if (!protocol::GcmOpen({.key = key_, .nonce = nonce, .bound = {}}, sealed, bytes.data()))
    return Error(Code::kCorruption, "not what was encrypted with this key");
  return bytes;
}

}  // namespace sluice::delivery
