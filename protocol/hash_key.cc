// MD5 routing and the shard map. The digest is looked up once per process and its context kept per thread, because
// looking up and allocating would cost ten times what hashing a partition key does.
#include "protocol/hash_key.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

#include "protocol/check.h"
#include "protocol/endian.h"
#include "protocol/freer.h"
#include "protocol/uint128.h"

namespace sluice::protocol {
namespace {

constexpr std::size_t kMd5Size = 16;
constexpr std::size_t kDecimalDigitsMax = 39;

Uint128 ToInteger(HashKey key) { return Uint128{key.high} << 64 | key.low; }

HashKey FromInteger(Uint128 value) {
  return {static_cast<std::uint64_t>(value >> 64), static_cast<std::uint64_t>(value)};
}

std::unexpected<Status> NotAHashKey(std::string_view text) {
  return Error(Code::kInvalidArgument,
               fmt::format("'{}' is not a hash key: give a decimal number from 0 to {} without leading zeros",
                           text.substr(0, 2 * kDecimalDigitsMax), ToDecimal(kMaxHashKey)));
}

using Md5 = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;

Md5 NewMd5() {
  static const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  SLUICE_CHECK(md5 != nullptr);  // a FIPS-only OpenSSL: Kinesis routing cannot be computed there
  Md5 context(EVP_MD_CTX_new());
  SLUICE_CHECK(context != nullptr && EVP_DigestInit_ex(context.get(), md5, nullptr) == 1);
  return context;
}

}  // namespace

HashKey HashPartitionKey(std::string_view partition_key) {
  thread_local const Md5 context = NewMd5();
  std::array<unsigned char, kMd5Size> digest;
  unsigned int size = 0;
  // Without the name of the digest: with it, OpenSSL would make the digest's memory anew.
  const bool hashed = EVP_DigestInit_ex(context.get(), nullptr, nullptr) == 1 &&
                      EVP_DigestUpdate(context.get(), partition_key.data(), partition_key.size()) == 1 &&
                      EVP_DigestFinal_ex(context.get(), digest.data(), &size) == 1;
  SLUICE_CHECK(hashed && size == kMd5Size);
  const auto* bytes = reinterpret_cast<const char*>(digest.data());
  return {LoadBigEndian<std::uint64_t>(bytes), LoadBigEndian<std::uint64_t>(bytes + 8)};
}

std::string ToDecimal(HashKey key) {
  std::array<char, kDecimalDigitsMax> digits;
  std::size_t first = digits.size();
  Uint128 value = ToInteger(key);
  do {
    digits[--first] = static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  } while (value != 0);
  return std::string(digits.data() + first, digits.size() - first);
}

Result<HashKey> ParseHashKey(std::string_view decimal) {
  if (decimal.empty() || decimal.size() > kDecimalDigitsMax) return NotAHashKey(decimal);
  if (decimal.front() == '0' && decimal.size() > 1) return NotAHashKey(decimal);
  constexpr Uint128 kMax = ~Uint128{0};
  Uint128 value = 0;
  for (const char c : decimal) {
    if (c < '0' || c > '9') return NotAHashKey(decimal);
    const auto digit = static_cast<unsigned>(c - '0');
    if (value > (kMax - digit) / 10) return NotAHashKey(decimal);
    value = value * 10 + digit;
  }
  return FromInteger(value);
}

ShardMap ShardMap::Uniform(std::uint32_t shard_count) {
  SLUICE_CHECK(shard_count >= 1);
  // floor(2^128 / n), of which 2^128 itself does not fit: it is one more than the quotient of 2^128 - 1 exactly where n
  // divides 2^128. For a single shard the width wraps around to 0 and is not used.
  constexpr Uint128 kMax = ~Uint128{0};
  const Uint128 width = kMax / shard_count + (kMax % shard_count == shard_count - 1 ? 1 : 0);
  ShardMap map;
  map.ranges_.reserve(shard_count);
  for (std::uint32_t i = 0; i < shard_count; ++i) {
    const Uint128 first = width * i;
    const Uint128 last = i + 1 == shard_count ? kMax : first + width - 1;
    map.ranges_.push_back({ShardIndex(i), FromInteger(first), FromInteger(last)});
  }
  return map;
}

Result<ShardMap> ShardMap::FromRanges(std::vector<ShardRange> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const ShardRange& a, const ShardRange& b) { return a.first < b.first; });
  if (ranges.empty()) return Error(Code::kInvalidArgument, "a stream needs at least one shard");
  Uint128 expected_first = 0;
  for (const ShardRange& range : ranges) {
    if (range.last < range.first || ToInteger(range.first) != expected_first) {
      return Error(
          Code::kInvalidArgument,
          fmt::format("shard {} owns {} to {}, but its range must start at {}: ranges may not overlap or leave a gap",
                      range.shard.value, ToDecimal(range.first), ToDecimal(range.last),
                      ToDecimal(FromInteger(expected_first))));
    }
    expected_first = ToInteger(range.last) + 1;
    if (expected_first == 0 && &range != &ranges.back()) {
      return Error(Code::kInvalidArgument, fmt::format("shard {} overlaps the ranges after it", range.shard.value));
    }
  }
  if (expected_first != 0) {
    return Error(Code::kInvalidArgument,
                 fmt::format("no shard owns the hash keys from {}", ToDecimal(FromInteger(expected_first))));
  }
  ShardMap map;
  map.ranges_ = std::move(ranges);
  return map;
}

ShardIndex ShardMap::Find(HashKey key) const {
  SLUICE_CHECK(!ranges_.empty());
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), key,
                                      [](HashKey k, const ShardRange& range) { return k < range.first; });
  SLUICE_CHECK(after != ranges_.begin());
  const ShardRange& range = *std::prev(after);
  SLUICE_DCHECK(range.first <= key && key <= range.last);
  return range.shard;
}

}  // namespace sluice::protocol
