// Sizes, durations, times and positions as people write them. Values only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/status.h"
#include "sluice/types.h"

namespace sluice::tools {

/// "10GiB", "512 MB", "4096"; KB is 1000, KiB 1024 bytes.
Result<std::uint64_t> ParseSize(std::string_view text);
/// "24h", "90s", "7d", "250ms".
Result<std::chrono::milliseconds> ParseDuration(std::string_view text);
/// "24h", "10GiB", "24h,10GiB", "forever".
Result<Retention> ParseRetention(std::string_view text);
/// "oldest", "latest", "seq:N" (an offset or a 56-digit sequence number), "time:T" (RFC 3339, or milliseconds since
/// 1970, or "10m" ago).
Result<Position> ParsePosition(std::string_view text, std::int64_t now_ms);

std::string FormatSize(std::uint64_t bytes);
std::string FormatDuration(std::chrono::milliseconds duration);
std::string FormatRetention(const Retention& retention);
/// "2026-03-01T12:00:00.123Z"
std::string FormatTime(std::int64_t time_ms);
/// "12,345"
std::string FormatCount(std::uint64_t count);

}  // namespace sluice::tools
