// Reading and writing of sizes, durations, times and positions.
#include "tools/sluice/units.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <ctime>
#include <utility>

#include "protocol/sequence_number.h"

namespace sluice::tools {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 11> kSizeUnits{{{"", 1},
                                           {"b", 1},
                                           {"kb", 1'000},
                                           {"mb", 1'000'000},
                                           {"gb", 1'000'000'000},
                                           {"tb", 1'000'000'000'000},
                                           {"kib", 1ull << 10},
                                           {"mib", 1ull << 20},
                                           {"gib", 1ull << 30},
                                           {"tib", 1ull << 40},
                                           {"pib", 1ull << 50}}};
constexpr std::array<Unit, 6> kDurationUnits{
    {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}, {"w", 604'800'000}}};

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

template <std::size_t N>
Result<std::uint64_t> ParseWithUnit(std::string_view text, const std::array<Unit, N>& units,
                                    std::string_view expected) {
  const Status wrong(Code::kInvalidArgument, fmt::format("'{}' is not {}", text, expected));
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return Error(wrong);
  std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  const std::string unit = Lower(rest);
  for (const Unit& candidate : units) {
    if (candidate.name != unit) continue;
    if (number > ~std::uint64_t{0} / 2 / candidate.factor) return Error(wrong);
    return number * candidate.factor;
  }
  return Error(wrong);
}

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
  char sign = 0;
  if (std::sscanf(rest, "%c%2d:%2d", &sign, &hours, &minutes) == 3 && (sign == '+' || sign == '-')) {
    millis -= (sign == '+' ? 1 : -1) * (hours * 60 + minutes) * 60'000;
  } else if (*rest != '\0' && std::string_view(rest) != "Z") {
    return Error(Code::kInvalidArgument,
                 fmt::format("'{}' ends with '{}', which is no time zone; write Z or +02:00", text, rest));
  }
  return millis;
}

Result<std::int64_t> ParseTime(std::string_view text, std::int64_t now_ms) {
  if (auto millis = ParseInteger(text)) return *millis;
  if (auto age = ParseDuration(text)) return now_ms - age->count();
  return ParseRfc3339(std::string(text));
}

}  // namespace

Result<std::uint64_t> ParseSize(std::string_view text) {
  return ParseWithUnit(text, kSizeUnits, "a size; write for example 512MiB or 10GiB");
}

Result<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  auto millis = ParseWithUnit(text, kDurationUnits, "a duration; write for example 90s, 24h or 7d");
  if (!millis) return Error(millis.error());
  return std::chrono::milliseconds(*millis);
}

Result<Retention> ParseRetention(std::string_view text) {
  Retention retention;
  if (text == "forever") return retention;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (auto age = ParseDuration(part)) {
      retention.age = *age;
    } else if (auto bytes = ParseSize(part)) {
      retention.bytes = *bytes;
    } else {
      return Error(
          Code::kInvalidArgument,
          fmt::format("'{}' is not a retention; write an age (24h), a size (10GiB), both (24h,10GiB) or forever",
                      part));
    }
  }
  return retention;
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

std::string FormatSize(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> kNames{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kNames.size()) value /= 1024, ++unit;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kNames[unit]);
}

std::string FormatDuration(std::chrono::milliseconds duration) {
  const auto millis = static_cast<std::uint64_t>(duration.count());
  for (auto unit = kDurationUnits.rbegin(); unit != kDurationUnits.rend(); ++unit) {
    if (millis >= unit->factor && millis % unit->factor == 0)
      return fmt::format("{}{}", millis / unit->factor, unit->name);
  }
  return fmt::format("{}ms", millis);
}

std::string FormatRetention(const Retention& retention) {
  if (!retention.age && !retention.bytes) return "forever";
  std::string text;
  if (retention.age) text = FormatDuration(*retention.age);
  if (retention.bytes) text += (text.empty() ? "" : ", ") + FormatSize(*retention.bytes);
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

}  // namespace sluice::tools
