// What AWS lets one shard take and give in a second, for applications that want to be held to it: 1,000 records and 1
// MiB of puts, 5 reads and 2 MiB of them, 5 iterators. A page over that is given and paid for: after 10 MiB the shard
// gives nothing for 5 seconds.
//
// Threads: any; one short lock for all shards, as nobody who measures has this on.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "broker/api/kinesis/token_bucket.h"
#include "protocol/ids.h"
#include "storage/env/env.h"

namespace sluice::broker::kinesis {

class ShardThrottle {
 public:
  /// `clock` outlives it.
  explicit ShardThrottle(storage::Clock& clock) : clock_(clock) {}

  /// Whether the shard takes a record of so many bytes, key and data together, now.
  bool TakeWrite(ShardId shard, std::uint64_t bytes);
  /// Whether the shard can be read now.
  bool TakeRead(ShardId shard);
  /// What a read gave.
  void ChargeRead(ShardId shard, std::uint64_t bytes);
  bool TakeIterator(ShardId shard);

 private:
  struct Buckets {
    TokenBucket records{1'000};
    TokenBucket bytes{1u << 20};
    TokenBucket reads{5};
    TokenBucket read_bytes{2u << 20};
    TokenBucket iterators{5};
    bool AreFull(std::int64_t now_ns) const;
  };
  Buckets& Of(ShardId shard, std::int64_t now_ns);

  storage::Clock& clock_;
  std::mutex mutex_;
  std::map<ShardId, Buckets> shards_;   // guarded by mutex_; one that is not in it has full buckets
  std::size_t looked_through_at_ = 64;  // guarded by mutex_; entries
};

}  // namespace sluice::broker::kinesis
