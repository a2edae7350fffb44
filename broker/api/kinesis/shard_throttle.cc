// Buckets are made when a shard is first used, and go when they are full again and there are many.
#include "broker/api/kinesis/shard_throttle.h"

#include <algorithm>

namespace sluice::broker::kinesis {

bool ShardThrottle::TakeWrite(ShardId shard, std::uint64_t bytes) {
  const std::int64_t now_ns = clock_.MonotonicNs();
  const std::lock_guard lock(mutex_);
  Buckets& buckets = Of(shard, now_ns);
  if (!buckets.records.Has(1, now_ns)) return false;
  return buckets.bytes.Take(static_cast<double>(bytes), now_ns) && buckets.records.Take(1, now_ns);
}

bool ShardThrottle::TakeRead(ShardId shard) {
  const std::int64_t now_ns = clock_.MonotonicNs();
  const std::lock_guard lock(mutex_);
  Buckets& buckets = Of(shard, now_ns);
  return buckets.read_bytes.Has(1, now_ns) && buckets.reads.Take(1, now_ns);
}

void ShardThrottle::ChargeRead(ShardId shard, std::uint64_t bytes) {
  const std::int64_t now_ns = clock_.MonotonicNs();
  const std::lock_guard lock(mutex_);
  Of(shard, now_ns).read_bytes.Charge(static_cast<double>(bytes), now_ns);
}

bool ShardThrottle::TakeIterator(ShardId shard) {
  const std::int64_t now_ns = clock_.MonotonicNs();
  const std::lock_guard lock(mutex_);
  return Of(shard, now_ns).iterators.Take(1, now_ns);
}

bool ShardThrottle::Buckets::AreFull(std::int64_t now_ns) const {
  return records.IsFull(now_ns) && bytes.IsFull(now_ns) && reads.IsFull(now_ns) && read_bytes.IsFull(now_ns) &&
         iterators.IsFull(now_ns);
}

ShardThrottle::Buckets& ShardThrottle::Of(ShardId shard, std::int64_t now_ns) {
  if (shards_.size() >= looked_through_at_) {
    std::erase_if(shards_, [&](const auto& one) { return one.second.AreFull(now_ns); });
    looked_through_at_ = std::max<std::size_t>(64, 2 * shards_.size());
  }
  return shards_[shard];
}

}  // namespace sluice::broker::kinesis
