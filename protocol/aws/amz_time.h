// The two ways in which requests name their time. Values only; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::protocol::aws {

/// "20150830T123600Z" as seconds since 1970.
std::optional<std::int64_t> ParseAmzTime(std::string_view text);
/// "Sun, 30 Aug 2015 12:36:00 GMT" (RFC 9110 section 5.6.7, the form that is not obsolete).
std::optional<std::int64_t> ParseHttpDate(std::string_view text);
/// Years 0 to 9999.
std::string FormatAmzTime(std::int64_t seconds);
/// "Sun, 30 Aug 2015 12:36:00 GMT", as ParseHttpDate reads. Years 0 to 9999.
std::string FormatHttpDate(std::int64_t seconds);

}  // namespace sluice::protocol::aws
