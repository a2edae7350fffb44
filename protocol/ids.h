// Strong ids: small integers that cannot be taken for one another. Values only; safe everywhere.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>

namespace sluice {

/// An integer with a name. `Tag` makes each id its own type; there is no conversion between ids.
template <typename Tag, typename Int>
struct StrongId {
  using Value = Int;
  Int value{};

  constexpr StrongId() = default;
  constexpr explicit StrongId(Int v) : value(v) {}
  friend constexpr auto operator<=>(StrongId, StrongId) = default;
};

/// A stream's number: given at creation, never used again, so that bytes of a deleted stream are never taken for a
/// new one of the same name. 1 and up.
using StreamId = StrongId<struct StreamIdTag, std::uint32_t>;

/// A shard's number within its stream, 0 and up; never used again within that stream.
using ShardIndex = StrongId<struct ShardIndexTag, std::uint32_t>;

/// A record's place in its shard: dense, 0 and up. 2^63-1 at most.
using Offset = StrongId<struct OffsetTag, std::uint64_t>;

inline constexpr Offset kMaxOffset{(std::uint64_t{1} << 63) - 1};
constexpr Offset operator+(Offset o, std::uint64_t n) { return Offset(o.value + n); }
constexpr std::uint64_t operator-(Offset a, Offset b) { return a.value - b.value; }

/// One shard of one stream; the identity that stands in every frame.
struct ShardId {
  StreamId stream;
  ShardIndex index;
  friend constexpr auto operator<=>(ShardId, ShardId) = default;
};

/// "7/3": stream 7, shard 3; for logs and messages about files. Users see names, not this.
std::string ToString(ShardId id);

/// An idempotent producer; -1 where the producer is not idempotent (Kafka's convention).
using ProducerId = StrongId<struct ProducerIdTag, std::int64_t>;
inline constexpr ProducerId kNoProducer{-1};

}  // namespace sluice

template <typename Tag, typename Int>
struct std::hash<sluice::StrongId<Tag, Int>> {
  std::size_t operator()(sluice::StrongId<Tag, Int> id) const { return std::hash<Int>()(id.value); }
};

template <>
struct std::hash<sluice::ShardId> {
  std::size_t operator()(sluice::ShardId id) const {
    return std::hash<std::uint64_t>()(std::uint64_t{id.stream.value} << 32 | id.index.value);
  }
};
