// SkipJsonValue: finds the end of one JSON value and checks its grammar on the way. For the values that go somewhere as
// text (into `_overflow`, into string columns); the fast path is simdjson's.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::delivery {

/// The value that `text` starts with (no space before it), or an empty view where it is malformed, cut off or nested
/// deeper than `depth_max` (64 at most). No recursion; linear time. UTF-8 is not checked here.
std::string_view SkipJsonValue(std::string_view text, std::size_t depth_max);

/// True where `text` opens more than `depth_max` objects and lists in one another.
bool NestsDeeper(std::string_view text, std::size_t depth_max);

/// `text` without JSON white space at both ends.
std::string_view TrimJson(std::string_view text);

/// True where `token` is a number by JSON's grammar.
bool IsJsonNumber(std::string_view token);

}  // namespace sluice::delivery
