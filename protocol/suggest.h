// What is said of names and numbers that do not exist: "did you mean", the known name nearest to a mistyped one, and
// which shards there are. Values only; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::protocol {

/// The candidate with the fewest edits (insert, remove, replace, swap of neighbours), where these are at most a third
/// of the word's length and at least one candidate is that near.
std::optional<std::string> NearestName(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean 'orders'?" or nothing; to be put behind an error message.
std::string DidYouMean(std::string_view word, std::span<const std::string> candidates);

/// "stream 'orders' has no shard 7; it has 0 to 3", of a stream with `shards` of them.
std::string NoSuchShard(std::string_view stream, std::uint32_t shard, std::size_t shards);

}  // namespace sluice::protocol
