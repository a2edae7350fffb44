// Moments as text: ISO-8601 with a zone, or a plain number of seconds or milliseconds since 1970. Values only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::delivery {

/// "2026-11-21T10:00:00Z", "2026-11-21T10:00:00.250+01:00", "2026-11-21" (UTC), "1763719200" (seconds; milliseconds
/// above 10^11).
std::optional<std::int64_t> ParseIsoTimeMs(std::string_view text);

/// "2026-11-21T10:00:00.250Z".
std::string IsoTimeText(std::int64_t time_ms);

}  // namespace sluice::delivery
