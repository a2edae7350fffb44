// "Did you mean": the known name nearest to a mistyped one. Values only; thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::protocol {

/// The candidate with the fewest edits (insert, remove, replace, swap of neighbours), where these are at most a third of the
/// word's length and at least one candidate is that near.
std::optional<std::string> NearestName(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean 'orders'?" or nothing; to be put behind an error message.
std::string DidYouMean(std::string_view word, std::span<const std::string> candidates);

}  // namespace sluice::protocol
