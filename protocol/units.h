// Sizes and durations as people write them: "64MiB", "24h". Values only; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::protocol {

/// "4096", "64KiB", "1.5GiB", "10 MB": KiB to PiB are powers of 1024, KB to PB of 1000, in small or large letters.
/// nullopt for anything else, and where it is no whole number of bytes.
std::optional<std::uint64_t> ParseBytes(std::string_view text);
/// "50ms", "1.5s", "5m", "24h", "7d", "2w"; in milliseconds. A unit must stand there. nullopt for anything else.
std::optional<std::int64_t> ParseDurationMs(std::string_view text);

/// The shortest of "64MiB", "4097B" that means exactly the same.
std::string FormatBytes(std::uint64_t bytes);
/// The shortest of "7d", "90s" that means exactly the same; in days at most.
std::string FormatDurationMs(std::int64_t ms);

}  // namespace sluice::protocol
