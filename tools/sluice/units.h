// Retentions, positions and times as people write them, sizes and counts as they are shown (protocol/units.h has the
// exact ones). Values only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/status.h"
#include "sluice/types.h"

namespace sluice::tools {

/// "24h", "10GiB", "24h,10GiB", "forever".
Result<Retention> ParseRetention(std::string_view text);
/// "oldest", "latest", "seq:N" (an offset or a 56-digit sequence number), "time:T" (RFC 3339, or milliseconds since
/// 1970, or "10m" ago).
Result<Position> ParsePosition(std::string_view text, std::int64_t now_ms);

/// What the clock shows now, for ParsePosition.
std::int64_t NowMs();

/// "1.5 GiB", rounded.
std::string FormatSize(std::uint64_t bytes);
/// As ParseRetention takes it.
std::string FormatRetention(const Retention& retention);
/// "2026-03-01T12:00:00.123Z"
std::string FormatTime(std::int64_t time_ms);
/// "12,345"
std::string FormatCount(std::uint64_t count);
/// "1 record", "12,345 records"; `many` where the plural is not made with an s.
std::string FormatCounted(std::uint64_t count, std::string_view one, std::string_view many = {});

}  // namespace sluice::tools
