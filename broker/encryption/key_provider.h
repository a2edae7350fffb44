// Where master keys live: what wraps the data keys of encrypted streams. Today there is one, a local key file
// (key_file.h); a key management service would be another.
//
// Master keys never leave their provider. The broker has a data key in memory while it uses it, and stores it only
// wrapped.
//
// Threads: any; calls may block.
#pragma once

#include <string>
#include <string_view>

#include "protocol/aes_gcm.h"
#include "sluice/status.h"

namespace sluice::broker {

class KeyProvider {
 public:
  virtual ~KeyProvider() = default;

  /// The master key that new data keys are wrapped with, where nobody asks for another.
  virtual std::string Current() const = 0;
  virtual bool Has(std::string_view master_key) const = 0;

  /// The data key's bytes, encrypted by the master key and bound to `context`. kNotFound: no such master key;
  /// kUnavailable: not now, try again.
  virtual Result<std::string> Wrap(std::string_view master_key, std::string_view context,
                                   const protocol::SecretKey& data_key) = 0;
  /// What Wrap has wrapped. kNotFound: no such master key; kCorruption: these are not bytes that it has wrapped with
  /// this master key for this context; kUnavailable: not now. The message says what to do.
  virtual Result<protocol::SecretKey> Unwrap(std::string_view master_key, std::string_view context,
                                             std::string_view wrapped) = 0;
};

}  // namespace sluice::broker
