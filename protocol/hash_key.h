// Hash keys and the shard map: which shard a partition key belongs to.
//
// As Amazon Kinesis defines it: MD5 of the UTF-8 partition key, read as a big-endian 128-bit number; each shard owns
// one contiguous range of these numbers, the ranges of a stream's open shards cover the whole space. Users and the KPL
// depend on this, so it never changes. Values only, no threads.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::protocol {

/// An unsigned 128-bit number.
struct HashKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend constexpr auto operator<=>(HashKey, HashKey) = default;
};
inline constexpr HashKey kMinHashKey{0, 0};
inline constexpr HashKey kMaxHashKey{~std::uint64_t{0}, ~std::uint64_t{0}};

/// MD5 of `partition_key`. Thread-safe; about 0.1 us for a key of 16 bytes.
HashKey HashPartitionKey(std::string_view partition_key);

/// Decimal, as Kinesis writes it: "0" to "340282366920938463463374607431768211455".
std::string ToDecimal(HashKey key);
Result<HashKey> ParseHashKey(std::string_view decimal);

/// The range of hash keys that one shard owns, both ends included.
struct ShardRange {
  ShardIndex shard;
  HashKey first;
  HashKey last;
  friend bool operator==(const ShardRange&, const ShardRange&) = default;
};

/// The open shards of a stream, sorted by range, covering the whole space without gap or overlap.
class ShardMap {
 public:
  ShardMap() = default;
  /// `shard_count` equal ranges as CreateStream makes them: floor(2^128 / N) each, the last one up to the maximum.
  static ShardMap Uniform(std::uint32_t shard_count);
  /// kInvalidArgument where the ranges overlap or leave a gap.
  static Result<ShardMap> FromRanges(std::vector<ShardRange> ranges);

  ShardIndex Find(HashKey key) const;
  ShardIndex FindByPartitionKey(std::string_view partition_key) const { return Find(HashPartitionKey(partition_key)); }
  const std::vector<ShardRange>& ranges() const { return ranges_; }

 private:
  std::vector<ShardRange> ranges_;  // sorted by first; constant after construction
};

}  // namespace sluice::protocol
