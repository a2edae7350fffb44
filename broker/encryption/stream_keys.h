// The data keys of one stream, unwrapped: what seals its batches on their way to the log and opens them for readers.
//
// A stream that was never encrypted has such an object too, without keys; asking it whether to seal is one load.
//
// Nonces: a key has 8 random bytes of its own each time that this process takes it up, and a counter behind them, so
// that no nonce repeats however many loops seal at once. A key is replaced by age, and far before its counter ends.
//
// Threads: any. Seal and Open take a lock only to copy a pointer.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "protocol/frame.h"
#include "protocol/sealed_batch.h"
#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::broker {

/// A data key that can be used. Its bytes are wiped with it.
class LiveKey {
 public:
  /// kUnavailable where the system gives no random bytes.
  static Result<std::shared_ptr<LiveKey>> New(protocol::SecretKey key, std::uint32_t number, std::int64_t created_ms);

  std::uint32_t number() const { return number_; }
  std::int64_t created_ms() const { return created_ms_; }
  const protocol::SecretKey& key() const { return key_; }
  /// How many nonces this process has taken of it.
  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  /// One that no other batch has; nullopt where there are no more.
  std::optional<protocol::GcmNonce> NextNonce();

 private:
  LiveKey(protocol::SecretKey key, std::uint32_t number, std::int64_t created_ms)
      : key_(std::move(key)), number_(number), created_ms_(created_ms) {}

  const protocol::SecretKey key_;
  const std::uint32_t number_;
  const std::int64_t created_ms_;
  std::array<char, 8> prefix_{};  // constant after New
  std::atomic<std::uint64_t> used_{0};
};

/// A data key of the stream, or why it cannot be used.
struct StreamKey {
  std::uint32_t number = 0;
  std::shared_ptr<LiveKey> key;  // nullptr: `why`
  Status why{};
};

/// When a key that seals is to be replaced by a new one.
struct KeyLife {
  std::int64_t age_ms_max = 0;  // 0: never by age
  std::uint64_t batches_max = 0;
};

class StreamKeys {
 public:
  /// `due` is called where the key that seals should be replaced, on the thread that sealed, at most once a minute.
  StreamKeys(KeyLife life, storage::Clock& clock, std::function<void()> due);

  /// Whether new batches of the stream must be sealed.
  bool sealing() const { return sealing_.load(std::memory_order_acquire); }
  /// Of the stream as it is stored now; the last one seals, where `sealing`.
  void Set(std::vector<StreamKey> keys, bool sealing);
  /// The key of this number, where it can be used.
  std::shared_ptr<LiveKey> Find(std::uint32_t number) const;

  /// kFailedPrecondition: the key cannot be used, and the message says why and what to do; kInvalidArgument: the batch
  /// would be too large; kUnavailable: the key is used up and its successor not made yet.
  Result<protocol::FrameBuffer> Seal(ShardId shard, std::string_view batch);
  /// kFailedPrecondition as above; kCorruption where the bytes are not those that were sealed.
  Result<protocol::Frame> Open(const protocol::Frame& sealed) const;

 private:
  using Keys = std::vector<StreamKey>;
  std::shared_ptr<const Keys> keys() const;
  static Status Unusable(const StreamKey& key);
  void CheckLife(const LiveKey& key);

  const KeyLife life_;
  storage::Clock& clock_;
  const std::function<void()> due_;
  std::atomic<bool> sealing_{false};
  std::atomic<std::int64_t> due_again_ms_{0};
  mutable std::mutex mutex_;          // held only to copy or swap the pointer
  std::shared_ptr<const Keys> keys_;  // guarded by mutex_
};

}  // namespace sluice::broker
