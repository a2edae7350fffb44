// Reading and writing of sizes, durations, times and positions.
#include "tools/sluice/units.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <ctime>

#include "protocol/sequence_number.h"
#include "protocol/units.h"

namespace sluice::tools {

namespace {

Result<std::int64_t> ParseInteger(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Error(Code::kInvalidArgument, fmt::format("'{}' is not a whole number", text));
  }
  return number;
}

/// RFC 3339 with seconds, optional fraction, and Z or an offset.
Result<std::int64_t> ParseRfc3339(const std::string& text) {
  std::tm tm{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &tm);
  if (rest == nullptr) rest = strptime(text.c_str(), "%Y-%m-%d %H:%M:%S", &tm);
  if (rest == nullptr) {
    return Error(
        Code::kInvalidArgument,
        fmt::format("'{}' is not a time; write 2026-03-01T12:00:00Z, milliseconds since 1970, or an age such as 10m",
                    text));
  }
  // timegm makes of the 31st of a short month one of the next.
  const std::chrono::year_month_day date(std::chrono::year(tm.tm_year + 1900),
                                         std::chrono::month(static_cast<unsigned>(tm.tm_mon) + 1),
                                         std::chrono::day(static_cast<unsigned>(tm.tm_mday)));
  if (!date.ok()) return Error(Code::kInvalidArgument, fmt::format("'{}' is no day of the calendar", text));
  std::int64_t millis = static_cast<std::int64_t>(timegm(&tm)) * 1000;
  if (*rest == '.') {
    int digits = 0;
    for (++rest; std::isdigit(static_cast<unsigned char>(*rest)) != 0; ++rest, ++digits) {
      if (digits == 0) millis += (*rest - '0') * 100;
      if (digits == 1) millis += (*rest - '0') * 10;
      if (digits == 2) millis += *rest - '0';
    }
  }
  int hours = 0;
  int minutes = 0;
  int read = 0;
  char sign = 0;
  if (std::sscanf(rest, "%c%2d:%2d%n", &sign, &hours, &minutes, &read) == 3 && (sign == '+' || sign == '-') &&
      hours < 24 && minutes < 60 && rest[read] == '\0') {
    millis -= (sign == '+' ? 1 : -1) * (hours * 60 + minutes) * 60'000;
  } else if (*rest != '\0' && std::string_view(rest) != "Z") {
    return Error(Code::kInvalidArgument,
                 fmt::format("'{}' ends with '{}', which is no time zone; write Z or +02:00", text, rest));
  }
  return millis;
}

Result<std::int64_t> ParseTime(std::string_view text, std::int64_t now_ms) {
  if (auto millis = ParseInteger(text)) return *millis;
  if (const auto age_ms = protocol::ParseDurationMs(text)) return now_ms - *age_ms;
  return ParseRfc3339(std::string(text));
}

/// One age or one size into `retention`. A number alone is refused: hours are meant as often as bytes; so is "10M",
/// minutes or megabytes. Taken the wrong way, records would go.
bool AddRetention(std::string_view part, Retention& retention) {
  if (part.empty() || std::isalpha(static_cast<unsigned char>(part.back())) == 0 || part.back() == 'M') return false;
  if (const auto age_ms = protocol::ParseDurationMs(part); age_ms && !retention.age) {
    retention.age = std::chrono::milliseconds(*age_ms);
  } else if (const auto bytes = protocol::ParseBytes(part); bytes && !retention.bytes) {
    retention.bytes = *bytes;
  } else {
    return false;
  }
  return true;
}

}  // namespace

Result<Retention> ParseRetention(std::string_view text) {
  Retention retention;
  if (text == "forever") return retention;
  const std::size_t comma = text.find(',');
  const bool good = AddRetention(text.substr(0, comma), retention) &&
                    (comma == text.npos || AddRetention(text.substr(comma + 1), retention));
  if (good) return retention;
  return Error(
      Code::kInvalidArgument,
      fmt::format("'{}' is not a retention; write an age (24h), a size (10GiB), both (24h,10GiB) or forever", text));
}

Result<Position> ParsePosition(std::string_view text, std::int64_t now_ms) {
  if (text == "oldest") return Position::Oldest();
  if (text == "latest") return Position::Latest();
  if (text.starts_with("time:")) {
    auto time_ms = ParseTime(text.substr(5), now_ms);
    if (!time_ms) return Error(time_ms.error());
    return Position::AtTime(*time_ms);
  }
  if (text.starts_with("seq:")) {
    const std::string_view number = text.substr(4);
    if (auto sequence = protocol::ParseSequenceNumber(number)) return Position::AtOffset(sequence->offset.value);
    auto offset = ParseInteger(number);
    if (offset && *offset >= 0) return Position::AtOffset(static_cast<std::uint64_t>(*offset));
  }
  return Error(Code::kInvalidArgument,
               fmt::format("'{}' is not a position; write oldest, latest, seq:N or time:T", text));
}

std::int64_t NowMs() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()).time_since_epoch().count();
}

std::string FormatSize(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> kNames{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kNames.size()) value /= 1024, ++unit;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kNames[unit]);
}

std::string FormatRetention(const Retention& retention) {
  if (!retention.age && !retention.bytes) return "forever";
  std::string text;
  if (retention.age) text = protocol::FormatDurationMs(retention.age->count());
  if (retention.bytes) text += (text.empty() ? "" : ",") + protocol::FormatBytes(*retention.bytes);
  return text;
}

std::string FormatTime(std::int64_t time_ms) {
  const std::time_t seconds = time_ms / 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), time_ms % 1000);
}

std::string FormatCount(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::ptrdiff_t i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), ",");
  }
  return digits;
}

std::string FormatCounted(std::uint64_t count, std::string_view one, std::string_view many) {
  if (count == 1) return fmt::format("1 {}", one);
  return many.empty() ? fmt::format("{} {}s", FormatCount(count), one) : fmt::format("{} {}", FormatCount(count), many);
}

}  // namespace sluice::tools
