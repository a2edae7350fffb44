// Hides what a spill writes from who reads the disk: AES-256-GCM, with a key that each spill makes for itself. It is in
// memory alone, until the spill is sealed: then it is stored with the intent, wrapped by a master key.
//
// Values only; one thread at a time, but for the key provider's calls, which may block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/delivery/delivery_state.h"
#include "broker/encryption/key_provider.h"
#include "protocol/aes_gcm.h"
#include "sluice/status.h"

namespace sluice::delivery {

class SpillCipher {
 public:
  /// With a new key. kUnavailable: the system gives no random bytes.
  static Result<SpillCipher> New();
  /// With the key that Wrap has wrapped for the spill of this name. Errors as KeyProvider::Unwrap.
  static Result<SpillCipher> Unwrap(broker::KeyProvider& keys, std::string_view name, const WrappedSpillKey& wrapped);
  /// Errors as KeyProvider::Wrap.
  Result<WrappedSpillKey> Wrap(broker::KeyProvider& keys, std::string_view name) const;

  /// `bytes`, encrypted, as they are to stand at `offset` of the file, where nothing else was sealed before.
  std::string Seal(std::uint64_t offset, std::string_view bytes) const;
  /// What stands there as it was. kCorruption where that was not sealed by this cipher for this place.
  Result<std::string> Open(std::uint64_t offset, std::string_view sealed) const;

 private:
  explicit SpillCipher(protocol::SecretKey key) : key_(std::move(key)) {}

  protocol::SecretKey key_;
};

}  // namespace sluice::delivery
