// Sizes and durations as people write them: "64MiB", "24h". Values only; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::broker {

/// "4096", "64KiB", "1.5GiB", "10MB"; KiB, MiB, GiB, TiB are powers of 1024, KB, MB, GB, TB of 1000. nullopt for
/// anything else.
std::optional<std::uint64_t> ParseBytes(std::string_view text);
/// "50ms", "10s", "5m", "24h", "7d"; in milliseconds. A unit must stand there. nullopt for anything else.
std::optional<std::int64_t> ParseDurationMs(std::string_view text);

/// The shortest of these that means exactly the same.
std::string FormatBytes(std::uint64_t bytes);
std::string FormatDurationMs(std::int64_t ms);

}  // namespace sluice::broker
