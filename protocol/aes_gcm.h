// AES-256-GCM with keys that are wiped when they are no longer used: what seals record batches (sealed_batch.h) and
// wraps the keys that do.
//
// Values only: safe to call from anywhere. The random bytes of new keys are OpenSSL's: storage/env's numbers are for
// what need not be kept secret.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "sluice/status.h"

namespace sluice::protocol {

inline constexpr std::size_t kSecretKeyBytes = 32;
inline constexpr std::size_t kGcmNonceBytes = 12;
inline constexpr std::size_t kGcmTagBytes = 16;

/// A key of 256 bits. Its bytes are overwritten when it goes, also where it was moved from.
class SecretKey {
 public:
  /// kUnavailable where the system gives no random bytes.
  static Result<SecretKey> Random();
  /// Copies kSecretKeyBytes bytes; the caller wipes its own.
  static SecretKey FromBytes(std::string_view bytes);

  SecretKey(SecretKey&& other) noexcept;
  SecretKey& operator=(SecretKey&& other) noexcept;
  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;
  ~SecretKey();

  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }

 private:
  SecretKey() = default;
  std::array<char, kSecretKeyBytes> bytes_;
};

using GcmNonce = std::array<char, kGcmNonceBytes>;

/// Fills `bytes` with random ones that nobody can guess. kUnavailable where the system gives none.
Status FillRandom(std::span<char> bytes);

/// Overwrites memory that held a secret, whatever the compiler thinks of it.
void Wipe(std::span<char> bytes);

/// What a seal is made and checked with. The same nonce must never be used twice with one key.
struct GcmInput {
  const SecretKey& key;
  const GcmNonce& nonce;
  std::string_view bound;  // covered by the tag and not part of the output: associated data
};

/// Writes `plain`, encrypted, and the tag behind it: plain.size() + kGcmTagBytes bytes at `out`.
void GcmSeal(const GcmInput& input, std::string_view plain, char* out);
/// Checks and decrypts what GcmSeal has written: sealed.size() - kGcmTagBytes bytes at `out`. False where the tag does
/// not fit; `out` then holds nothing of use.
bool GcmOpen(const GcmInput& input, std::string_view sealed, char* out);

}  // namespace sluice::protocol
