// Timestamps, dates and decimals out of text, without locale or allocation.
#include "broker/delivery/text_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "broker/delivery/json_scan.h"
#include "protocol/ascii.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

using protocol::IsDigit;

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kSecondsMax = 100'000'000'000;  // from here on a number counts milliseconds

// Exactly `count` digits at the front of `text`, which moves behind them.
std::optional<unsigned> TakeDigits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  unsigned number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!IsDigit(text[i])) return std::nullopt;
    number = number * 10 + static_cast<unsigned>(text[i] - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool Take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// Of month, day, hour, minute and second.
enum class LeadingZero : bool { kNeeded, kOptional };

std::optional<unsigned> TakeTwo(std::string_view& text, LeadingZero zero) {
  const bool one = zero == LeadingZero::kOptional && (text.size() < 2 || !IsDigit(text[1]));
  return TakeDigits(text, one ? 1 : 2);
}

std::optional<std::int32_t> TakeDate(std::string_view& text, LeadingZero zero) {
  std::optional<unsigned> year = TakeDigits(text, 4);
  if (!year || *year == 0 || !Take(text, '-')) return std::nullopt;
  std::optional<unsigned> month = TakeTwo(text, zero);
  if (!month || !Take(text, '-')) return std::nullopt;
  std::optional<unsigned> day = TakeTwo(text, zero);
  return day ? DaysFromDate(*year, *month, *day) : std::nullopt;
}

// "12:34:56" and a fraction; microseconds of the day.
std::optional<std::int64_t> TakeTime(std::string_view& text, LeadingZero zero) {
  std::optional<unsigned> hour = TakeTwo(text, zero);
  if (!hour || *hour > 23 || !Take(text, ':')) return std::nullopt;
  std::optional<unsigned> minute = TakeTwo(text, zero);
  if (!minute || *minute > 59 || !Take(text, ':')) return std::nullopt;
  std::optional<unsigned> second = TakeTwo(text, zero);
  if (!second || *second > 59) return std::nullopt;
  std::int64_t micros = (std::int64_t{*hour} * 3600 + *minute * 60 + *second) * kMicrosPerSecond;
  if (!Take(text, '.')) return micros;
  std::int64_t unit = kMicrosPerSecond;
  std::size_t digits = 0;
  for (; digits < text.size() && IsDigit(text[digits]); ++digits) {
    unit /= 10;
    micros += unit * (text[digits] - '0');
  }
  if (digits == 0 || digits > 9) return std::nullopt;
  text.remove_prefix(digits);
  return micros;
}

// What is left: nothing, "Z", "+01:00" or "+0100". Microseconds to take off.
std::optional<std::int64_t> ParseZone(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return 0;
  bool west = text.front() == '-';
  if (!west && text.front() != '+') return std::nullopt;
  text.remove_prefix(1);
  std::optional<unsigned> hours = TakeDigits(text, 2);
  if (!hours) return std::nullopt;
  Take(text, ':');
  std::optional<unsigned> minutes = TakeDigits(text, 2);
  if (!minutes || !text.empty() || *hours > 18 || *minutes > 59) return std::nullopt;
  std::int64_t micros = (std::int64_t{*hours} * 3600 + *minutes * 60) * kMicrosPerSecond;
  return west ? -micros : micros;
}

// The digits of a number without its point, and where the point stands: value = digits * 10^exponent.
struct Digits {
  bool negative = false;
  std::array<char, 80> digits{};
  std::size_t count = 0;
  std::int64_t exponent = 0;
};

// Leading zeros are dropped; more digits than fit are an error, since no decimal holds them (38) even after rounding
// (38 more).
std::optional<Digits> ReadDigits(std::string_view text) {
  Digits out;
  if (!IsJsonNumber(text)) return std::nullopt;
  out.negative = Take(text, '-');
  bool fraction = false;
  for (; !text.empty(); text.remove_prefix(1)) {
    char c = text.front();
    if (c == 'e' || c == 'E') break;
    if (c == '.') {
      fraction = true;
      continue;
    }
    if (fraction) --out.exponent;
    if (out.count == 0 && c == '0') continue;
    if (out.count == out.digits.size()) return std::nullopt;
    out.digits[out.count++] = c;
  }
  if (text.empty()) return out;
  text.remove_prefix(1);
  Take(text, '+');
  int exponent = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), exponent).ec != std::errc()) return std::nullopt;
  out.exponent += exponent;
  return out;
}

}  // namespace

std::optional<std::int32_t> DaysFromDate(std::int64_t year, unsigned month, unsigned day) {
  constexpr std::array<unsigned, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return std::nullopt;
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (day > kDays[month - 1] + (leap && month == 2 ? 1 : 0)) return std::nullopt;
  // Days of the proleptic Gregorian calendar, counted in eras of 400 years that start on 1 March.
  std::int64_t y = month <= 2 ? year - 1 : year;
  std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  std::int64_t year_of_era = y - era * 400;
  std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return static_cast<std::int32_t>(era * 146'097 + day_of_era - 719'468);
}

std::optional<std::int32_t> ParseDate(std::string_view text) {
  std::optional<std::int32_t> days = TakeDate(text, LeadingZero::kNeeded);
  return text.empty() ? days : std::nullopt;
}

std::optional<std::int64_t> ParseTimestamp(std::string_view text) {
  std::optional<std::int32_t> days = TakeDate(text, LeadingZero::kNeeded);
  if (!days || (!Take(text, 'T') && !Take(text, ' '))) return std::nullopt;
  std::optional<std::int64_t> time = TakeTime(text, LeadingZero::kNeeded);
  if (!time) return std::nullopt;
  std::optional<std::int64_t> zone = ParseZone(text);
  if (!zone) return std::nullopt;
  return *days * kSecondsPerDay * kMicrosPerSecond + *time - *zone;
}

std::optional<std::int64_t> ParseJdbcTimestamp(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  std::optional<std::int32_t> days = TakeDate(text, LeadingZero::kOptional);
  if (!days || !Take(text, ' ')) return std::nullopt;
  std::optional<std::int64_t> time = TakeTime(text, LeadingZero::kOptional);
  if (!time || !text.empty()) return std::nullopt;
  return *days * kSecondsPerDay * kMicrosPerSecond + *time;
}

std::optional<std::int64_t> TimestampFromNumber(std::string_view token) {
  if (std::optional<std::int64_t> whole = ParseInteger(token)) {
    bool seconds = *whole > -kSecondsMax && *whole < kSecondsMax;
    std::int64_t micros = 0;
    if (__builtin_mul_overflow(*whole, seconds ? kMicrosPerSecond : 1000, &micros)) return std::nullopt;
    return micros;
  }
  // A fraction: exact in decimal, so that 1700000000.123456 keeps its last digit.
  constexpr unsigned kDigitsMax = 18;
  std::optional<double> rough = ParseDouble(token);
  if (!rough || std::fabs(*rough) > 1e15) return std::nullopt;
  bool seconds = std::fabs(*rough) < static_cast<double>(kSecondsMax);
  std::optional<__int128> exact = ParseDecimal(token, kDigitsMax, seconds ? 6 : 3);
  if (!exact) return std::nullopt;
  return static_cast<std::int64_t>(*exact);
}

std::optional<__int128> ParseDecimal(std::string_view text, unsigned precision, unsigned scale) {
  SLUICE_CHECK(precision >= 1 && precision <= 38 && scale <= precision);
  std::optional<Digits> read = ReadDigits(text);
  if (!read) return std::nullopt;
  if (read->count == 0) return 0;
  // How many of the digits stay: all up to 10^-scale.
  std::int64_t kept = static_cast<std::int64_t>(read->count) + read->exponent + scale;
  if (kept > precision) return std::nullopt;
  if (kept < 0) return 0;
  __int128 value = 0;
  for (std::int64_t i = 0; i < kept; ++i) {
    std::size_t at = static_cast<std::size_t>(i);
    value = value * 10 + (at < read->count ? read->digits[at] - '0' : 0);
  }
  std::size_t next = static_cast<std::size_t>(kept);
  if (next < read->count && read->digits[next] >= '5') ++value;
  __int128 limit = 1;
  for (unsigned i = 0; i < precision; ++i) limit *= 10;
  if (value >= limit) return std::nullopt;
  return read->negative ? -value : value;
}

std::optional<std::int64_t> ParseInteger(std::string_view text) {
  std::string_view digits = text;
  Take(digits, '-');
  if (digits.empty() || digits.size() > 19 || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  std::uint64_t number = 0;
  for (char c : digits) {
    if (!IsDigit(c)) return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  bool negative = digits.size() < text.size();
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (number > kMax + (negative ? 1 : 0)) return std::nullopt;
  return static_cast<std::int64_t>(negative ? 0 - number : number);
}

bool DoubleHolds(std::string_view text) {
  constexpr std::size_t kDigitsAlwaysHeld = 15;
  std::string_view digits = text;
  Take(digits, '-');
  if (digits.size() <= kDigitsAlwaysHeld || !std::ranges::all_of(digits, IsDigit)) return true;
  const std::optional<double> number = ParseDouble(text);
  return number ? fmt::format("{:.0f}", *number) == text : !IsJsonNumber(text);
}

std::optional<double> ParseDouble(std::string_view text) {
  if (!IsJsonNumber(text)) return std::nullopt;
  double number = 0;
  std::from_chars_result result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace sluice::delivery
