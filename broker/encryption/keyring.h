// The data keys of all streams: read from the catalog and unwrapped at the start, made and replaced while the broker
// runs.
//
// The life of a data key: made and wrapped by a master key; stored with its stream, in one durable change; from then on
// it seals the stream's batches, until a newer one does; it opens them as long as the stream is there. A crash leaves
// the stream with the key or without, and no batch is sealed with a key that is not stored.
//
// Which master key wraps: the one that was asked for by name where the provider has it, else the provider's current
// one. At the start data keys that another one wraps are wrapped again; then a master key may leave its provider.
//
// A stream whose data keys cannot be unwrapped keeps the broker from nothing but that stream's records.
//
// Threads: any. What says so blocks on the metadata store and the provider.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "broker/encryption/key_provider.h"
#include "broker/encryption/stream_keys.h"
#include "broker/stream_catalog.h"
#include "protocol/ids.h"
#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::broker {

struct EncryptionOptions {
  std::string key_file;                                         // empty: streams cannot be encrypted
  std::int64_t data_key_age_ms = 30ll * 24 * 3600 * 1000;       // then a new one seals; 0: never by age
  std::uint64_t data_key_batches_max = std::uint64_t{1} << 30;  // the same by batches, of one run of the broker
};

/// All of it outlives the keyring.
struct KeyringParts {
  StreamCatalog& catalog;
  storage::Clock& clock;
  /// Runs a task that may block, on another thread.
  std::function<void(std::move_only_function<void()>)> run_blocking;
};

class Keyring {
 public:
  /// `provider`: nullptr where there are no master keys. Blocks. Logs what cannot be unwrapped.
  Keyring(KeyringParts parts, std::unique_ptr<KeyProvider> provider, EncryptionOptions options);

  /// nullptr where there are no master keys.
  KeyProvider* provider() const { return provider_.get(); }

  /// Of a stream that exists; made at its first use.
  std::shared_ptr<StreamKeys> KeysOf(StreamId stream);
  /// After the catalog has forgotten the stream.
  void Forget(StreamId stream);

  /// Within a change of the catalog: gives the stream a new data key, from which on it is encrypted. `key_id`: the
  /// master key that is asked for, any text. Reload comes after the change. kFailedPrecondition: there are no master
  /// keys; what KeyProvider says. Blocks.
  Status Renew(StreamInfo& stream, std::string_view key_id);
  /// After each change of a stream's encryption in the catalog: from now on it is in force. Blocks.
  void Reload(StreamId stream);

  /// Renew as one change. Blocks.
  Result<StreamPtr> Encrypt(std::string_view stream, std::string_view key_id);
  /// New records are no longer sealed; those that are stay so, and are read as before. Blocks.
  Result<StreamPtr> StopEncrypting(std::string_view stream);

 private:
  std::string MasterFor(std::string_view key_id) const;
  StreamKey Unwrap(const StreamInfo& stream, const WrappedKey& wrapped);
  std::vector<StreamKey> UnwrapAll(const StreamInfo& stream, const StreamKeys& known);
  void WrapAgain(const StreamInfo& stream, const StreamKeys& keys);
  void Replace(StreamId stream);
  std::shared_ptr<StreamKeys> NewKeys(StreamId stream);

  const KeyringParts parts_;
  const std::unique_ptr<KeyProvider> provider_;
  const EncryptionOptions options_;
  std::mutex mutex_;                                                // taken before the catalog's
  std::unordered_map<StreamId, std::shared_ptr<StreamKeys>> keys_;  // guarded by mutex_
};

}  // namespace sluice::broker
