// The live subscriptions of SubscribeToShard: at most one for each consumer and shard. A second one is refused while
// the first is young, and takes its place later, as on AWS.
//
// Nothing of it is kept over a restart: clients subscribe again behind the last number that they were given.
//
// Threads: any; own lock.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "protocol/aws/error.h"
#include "protocol/ids.h"

namespace sluice::broker::kinesis {

/// AWS's times.
struct SubscriptionOptions {
  std::int64_t life_ms = 300'000;  // then it ends, and the client subscribes again
  std::int64_t young_ms = 5'000;   // no other one takes its place
  std::uint32_t idle_ms = 5'000;   // without a record an event says so this often
};

class Subscriptions {
 public:
  struct Key {
    StreamId stream;
    std::string consumer;
    ShardIndex shard;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  /// Ends a subscription with an error; called from any thread, without the lock, once at most.
  using EndWith = std::function<void(protocol::aws::ApiError)>;
  using Ticket = std::uint64_t;

  explicit Subscriptions(const SubscriptionOptions& options) : options_(options) {}
  const SubscriptionOptions& options() const { return options_; }

  /// Enters a subscription, and ends the one whose place it takes with `taken_over`; nullopt where that is too young.
  std::optional<Ticket> Begin(const Key& key, std::int64_t now_ms, EndWith end,
                              const protocol::aws::ApiError& taken_over);
  /// The subscription has ended; does nothing where another one has its place.
  void Ended(const Key& key, Ticket ticket);
  /// Ends all subscriptions of a consumer.
  void EndConsumer(StreamId stream, const std::string& consumer, const protocol::aws::ApiError& why);

 private:
  struct Entry {
    Ticket ticket = 0;
    std::int64_t begun_ms = 0;
    EndWith end;
  };

  const SubscriptionOptions options_;
  std::mutex mutex_;
  Ticket last_ticket_ = 0;        // guarded by mutex_
  std::map<Key, Entry> entries_;  // guarded by mutex_
};

}  // namespace sluice::broker::kinesis
