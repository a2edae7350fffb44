// How often AWS lets an account call an operation on streams in a second, for applications that want to be held to it.
// Operations on records are not among them: those are limited by shard (shard_throttle.h).
//
// Threads: any; one short lock.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "broker/api/aws/operation.h"
#include "broker/api/kinesis/token_bucket.h"
#include "broker/api/kinesis/token_seal.h"
#include "storage/env/env.h"

namespace sluice::broker::kinesis {

class CallLimiter {
 public:
  /// `clock` outlives it. `key`: of the tokens by which lists go on.
  CallLimiter(storage::Clock& clock, const TokenKey& key) : clock_(clock), key_(key) {}

  /// Puts the limit in front of an operation that has one; `this` outlives the operation.
  void Limit(aws::Operation& operation);

 private:
  bool Take(std::string key, double per_second);

  storage::Clock& clock_;
  const TokenKey key_;
  std::mutex mutex_;
  std::map<std::string, TokenBucket> buckets_;  // guarded by mutex_; one that is not in it is full
  std::size_t looked_through_at_ = 64;          // guarded by mutex_; entries
};

}  // namespace sluice::broker::kinesis
