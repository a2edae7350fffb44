// One row per letter: how often it may stand, and what it prints.
#include "broker/delivery/time_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>

#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

struct LetterRule {
  char letter;
  int count_max;
};
constexpr std::array<LetterRule, 29> kLetters = {
    {{'G', 3}, {'u', 9}, {'y', 9}, {'Y', 9}, {'Q', 3}, {'q', 3}, {'M', 5}, {'L', 5}, {'w', 2}, {'W', 1},
     {'d', 2}, {'D', 3}, {'E', 5}, {'e', 5}, {'a', 1}, {'h', 2}, {'K', 2}, {'k', 2}, {'H', 2}, {'m', 2},
     {'s', 2}, {'S', 9}, {'n', 9}, {'V', 2}, {'z', 3}, {'X', 3}, {'x', 3}, {'Z', 5}, {'O', 1}}};

/// The moment taken apart in its zone.
struct Fields {
  int year, month, day, hour, minute, second;
  int weekday;      // 0: Sunday
  int day_of_year;  // 1 and up
  int week, week_year, week_of_month;
  std::int32_t offset_s;
  std::string_view abbreviation;
  const TimeZone* zone;
};

int WeekdayOfNewYear(int year) {
  const std::chrono::year_month_day first{std::chrono::year(year), std::chrono::January, std::chrono::day(1)};
  return static_cast<int>(std::chrono::weekday(std::chrono::sys_days(first)).c_encoding());
}

/// US weeks: Sunday first, the week that holds January 1st is week 1 of the new year.
void FillWeeks(Fields& f) {
  const bool leap = std::chrono::year(f.year).is_leap();
  const int days_in_year = leap ? 366 : 365;
  f.week_of_month = (f.day + (f.weekday - f.day % 7 + 8) % 7 - 1) / 7 + 1;
  if (f.day_of_year - 1 + (6 - f.weekday) >= days_in_year) {  // this week's Saturday lies in the next year
    f.week_year = f.year + 1;
    f.week = 1;
    return;
  }
  f.week_year = f.year;
  f.week = (f.day_of_year - 1 + WeekdayOfNewYear(f.year)) / 7 + 1;
}

Fields TakeApart(std::int64_t unix_s, const TimeZone& zone) {
  const TimeZone::Local local = zone.At(unix_s);
  const std::chrono::sys_seconds moment(std::chrono::seconds(unix_s + local.offset_s));
  const auto days = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss time(moment - days);
  Fields f{};
  f.year = static_cast<int>(date.year());
  f.month = static_cast<int>(static_cast<unsigned>(date.month()));
  f.day = static_cast<int>(static_cast<unsigned>(date.day()));
  f.hour = static_cast<int>(time.hours().count());
  f.minute = static_cast<int>(time.minutes().count());
  f.second = static_cast<int>(time.seconds().count());
  f.weekday = static_cast<int>(std::chrono::weekday(days).c_encoding());
  const std::chrono::year_month_day new_year{date.year(), std::chrono::January, std::chrono::day(1)};
  f.day_of_year = static_cast<int>((days - std::chrono::sys_days(new_year)).count()) + 1;
  f.offset_s = local.offset_s;
  f.abbreviation = local.abbreviation;
  f.zone = &zone;
  FillWeeks(f);
  return f;
}

std::string Number(int value, int width) { return fmt::format("{:0{}}", value, width); }

std::string YearText(int year, int count) { return count == 2 ? Number(year % 100, 2) : Number(year, count); }

std::string NameText(std::string_view name, int count) {
  if (count == 5) return std::string(name.substr(0, 1));
  return std::string(count == 4 ? name : name.substr(0, 3));
}

/// "+05", "+0530" or "+05:30"; `zulu` where UTC is written "Z".
std::string OffsetText(std::int32_t offset_s, bool minutes_always, bool colon, bool zulu) {
  if (zulu && offset_s == 0) return "Z";
  const int total = (offset_s < 0 ? -offset_s : offset_s) / 60;
  std::string text = fmt::format("{}{:02}", offset_s < 0 ? '-' : '+', total / 60);
  if (minutes_always || total % 60 != 0) text += fmt::format("{}{:02}", colon ? ":" : "", total % 60);
  return text;
}

std::string GmtText(std::int32_t offset_s, bool full) {
  if (offset_s == 0) return "GMT";
  const int total = (offset_s < 0 ? -offset_s : offset_s) / 60;
  const char sign = offset_s < 0 ? '-' : '+';
  if (full) return fmt::format("GMT{}{:02}:{:02}", sign, total / 60, total % 60);
  return total % 60 == 0 ? fmt::format("GMT{}{}", sign, total / 60)
                         : fmt::format("GMT{}{}:{:02}", sign, total / 60, total % 60);
}

std::string ZoneText(char letter, int count, const Fields& f) {
  switch (letter) {
    case 'V':
      return f.zone->name();
    case 'z':
      return std::string(f.abbreviation);
    case 'X':
      return OffsetText(f.offset_s, count > 1, count == 3, true);
    case 'x':
      return OffsetText(f.offset_s, count > 1, count == 3, false);
    case 'O':
      return GmtText(f.offset_s, false);
    default:
      break;
  }
  if (count == 4) return GmtText(f.offset_s, true);
  return OffsetText(f.offset_s, true, count == 5, count == 5);
}

std::string FieldText(char letter, int count, const Fields& f) {
  const int quarter = (f.month - 1) / 3 + 1;
  switch (letter) {
    case 'G':
      return "AD";
    case 'u':
    case 'y':
      return YearText(f.year, count);
    case 'Y':
      return YearText(f.week_year, count);
    case 'Q':
    case 'q':
      return count == 3 ? fmt::format("Q{}", quarter) : Number(quarter, count);
    case 'M':
    case 'L':
      return count <= 2 ? Number(f.month, count) : NameText(kMonths[static_cast<std::size_t>(f.month - 1)], count);
    case 'w':
      return Number(f.week, count);
    case 'W':
      return Number(f.week_of_month, count);
    case 'd':
      return Number(f.day, count);
    case 'D':
      return Number(f.day_of_year, count);
    case 'E':
      return NameText(kWeekdays[static_cast<std::size_t>(f.weekday)], count);
    case 'e':
      return count <= 2 ? Number(f.weekday + 1, count)
                        : NameText(kWeekdays[static_cast<std::size_t>(f.weekday)], count);
    case 'a':
      return f.hour < 12 ? "AM" : "PM";
    case 'h':
      return Number((f.hour + 11) % 12 + 1, count);
    case 'K':
      return Number(f.hour % 12, count);
    case 'k':
      return Number(f.hour == 0 ? 24 : f.hour, count);
    case 'H':
      return Number(f.hour, count);
    case 'm':
      return Number(f.minute, count);
    case 's':
      return Number(f.second, count);
    case 'S':
    case 'n':
      return Number(0, count);
    default:
      return ZoneText(letter, count, f);
  }
}

Status CheckLetter(char letter, int count) {
  for (const LetterRule& rule : kLetters) {
    if (rule.letter != letter) continue;
    if (count > rule.count_max || (letter == 'V' && count != 2)) {
      return Status(Code::kInvalidArgument,
                    fmt::format("'{}' stands {} times in a row in the time pattern, {} {}", letter, count,
                                letter == 'V' ? "it must be" : "at most", rule.count_max));
    }
    return Status();
  }
  return Status(
      Code::kInvalidArgument,
      fmt::format("'{}' is no field of a time pattern; put text in single quotes, as in yyyy'/year'", letter));
}

}  // namespace

Result<TimePattern> TimePattern::Parse(std::string_view pattern) {
  TimePattern result;
  const auto literal = [&](char c) {
    if (result.parts_.empty() || result.parts_.back().letter != 0) result.parts_.push_back({});
    result.parts_.back().literal += c;
  };
  if (pattern.empty()) return Error(Code::kInvalidArgument, "the time pattern is empty; write for example yyyy/MM/dd");
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      const std::size_t end = std::min(pattern.find_first_not_of(c, i), pattern.size());
      const int count = static_cast<int>(end - i);
      if (Status status = CheckLetter(c, count); !status.ok()) return Error(std::move(status));
      result.parts_.push_back({c, count, ""});
      i = end;
    } else if (c == '\'') {
      if (i + 1 < pattern.size() && pattern[i + 1] == '\'') {  // two quotes are one, inside and outside
        literal('\'');
        i += 2;
        continue;
      }
      for (++i;; ++i) {
        if (i >= pattern.size())
          return Error(Code::kInvalidArgument, "a single quote in the time pattern is not closed");
        if (pattern[i] != '\'') {
          literal(pattern[i]);
        } else if (i + 1 < pattern.size() && pattern[i + 1] == '\'') {
          literal('\'');
          ++i;
        } else {
          break;
        }
      }
      ++i;
    } else if (c == '{' || c == '}' || c == '#' || c == '[' || c == ']') {
      return Error(Code::kInvalidArgument,
                   fmt::format("'{}' is reserved in a time pattern; put it in single quotes", c));
    } else {
      literal(c);
      ++i;
    }
  }
  return result;
}

std::string TimePattern::Format(std::int64_t unix_s, const TimeZone& zone) const {
  const Fields fields = TakeApart(unix_s, zone);
  SLUICE_CHECK(fields.month >= 1 && fields.month <= 12);
  std::string text;
  for (const Part& part : parts_) text += part.letter == 0 ? part.literal : FieldText(part.letter, part.count, fields);
  return text;
}

}  // namespace sluice::delivery
