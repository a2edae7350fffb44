// Dates by the calendar of <chrono>; no clock.
#include "protocol/aws/amz_time.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

#include "protocol/ascii.h"

namespace sluice::protocol::aws {
namespace {

constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::string_view kWeekdays = "SunMonTueWedThuFriSat";

/// Digits that are known to be digits.
int Number(std::string_view digits) {
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::optional<std::int64_t> Seconds(int year, int month, int day, int hour, int minute, int second) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return std::int64_t{std::chrono::sys_days(date).time_since_epoch().count()} * 86'400 + hour * 3'600 + minute * 60 +
         second;
}

/// True where `text` has the form of `like`: digits where that has zeros, anything where it has question marks.
bool HasForm(std::string_view text, std::string_view like) {
  if (text.size() != like.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = IsDigit(text[i]);
    if (like[i] == '0' ? !digit : like[i] != '?' && like[i] != text[i]) return false;
  }
  return true;
}

}  // namespace

std::optional<std::int64_t> ParseAmzTime(std::string_view text) {
  if (!HasForm(text, "00000000T000000Z")) return std::nullopt;
  const auto at = [text](std::size_t first, std::size_t digits) { return Number(text.substr(first, digits)); };
  return Seconds(at(0, 4), at(4, 2), at(6, 2), at(9, 2), at(11, 2), at(13, 2));
}

std::optional<std::int64_t> ParseHttpDate(std::string_view text) {
  if (!HasForm(text, "???, 00 ??? 0000 00:00:00 GMT")) return std::nullopt;
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == kMonths.npos || month % 3 != 0) return std::nullopt;
  const auto at = [text](std::size_t first, std::size_t digits) { return Number(text.substr(first, digits)); };
  return Seconds(at(12, 4), static_cast<int>(month / 3) + 1, at(5, 2), at(17, 2), at(20, 2), at(23, 2));
}

std::string FormatAmzTime(std::int64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::string FormatHttpDate(std::int64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kWeekdays.substr(3 * std::chrono::weekday(day).c_encoding(), 3), static_cast<unsigned>(date.day()),
                     kMonths.substr(3 * (static_cast<unsigned>(date.month()) - 1), 3), static_cast<int>(date.year()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace sluice::protocol::aws
