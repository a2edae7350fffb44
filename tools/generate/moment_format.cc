// One table of tokens, the longest first.
#include "tools/generate/moment_format.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>

namespace sluice::tools {

const std::string_view kMonthNames[12] = {"January", "February", "March",     "April",   "May",      "June",
                                          "July",    "August",   "September", "October", "November", "December"};
const std::string_view kWeekdayNames[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                           "Thursday", "Friday", "Saturday"};

namespace {

std::string Ordinal(unsigned number) {
  const unsigned last = number % 10;
  const bool teen = number % 100 / 10 == 1;
  return fmt::format("{}{}", number, teen || last == 0 || last > 3 ? "th" : last == 1 ? "st" : last == 2 ? "nd" : "rd");
}

unsigned TwelveHours(unsigned hour) { return hour % 12 == 0 ? 12 : hour % 12; }

std::string OffsetText(int minutes, std::string_view between) {
  const int size = std::abs(minutes);
  return fmt::format("{}{:02}{}{:02}", minutes < 0 ? '-' : '+', size / 60, between, size % 60);
}

struct Week {
  int year = 0;
  unsigned number = 0;
};

/// The week, and the year that it is of, which is that of `days` behind the date.
Week WeekOf(const CivilTime& time, int days_behind) {
  using namespace std::chrono;
  const sys_days date = year_month_day(year(static_cast<int>(time.year)), month(time.month), day(time.day));
  const sys_days decides = date + days(days_behind);
  const auto of_year = year_month_day(decides).year();
  return {static_cast<int>(of_year),
          static_cast<unsigned>((decides - sys_days(of_year / January / 1)).count()) / 7 + 1};
}

std::string WeekToken(const CivilTime& time, std::string_view token) {
  const bool iso = token.front() == 'W' || token.front() == 'G';
  const int weekday = static_cast<int>(time.weekday);
  // ISO's weeks begin on Monday and have the year of their Thursday; the others on Sunday, with that of their Saturday.
  const Week week = WeekOf(time, iso ? 3 - (weekday + 6) % 7 : 6 - weekday);
  if (token.size() == 4) return fmt::format("{:04}", week.year);
  if (token == "gg" || token == "GG") return fmt::format("{:02}", week.year % 100);
  if (token.ends_with('o')) return Ordinal(week.number);
  return token.size() == 2 ? fmt::format("{:02}", week.number) : fmt::format("{}", week.number);
}

std::string DateToken(const CivilTime& time, std::string_view token) {
  if (token == "YYYY") return fmt::format("{:04}", time.year);
  if (token == "YY") return fmt::format("{:02}", time.year % 100);
  if (token == "Q") return fmt::format("{}", (time.month + 2) / 3);
  if (token == "MMMM") return std::string(kMonthNames[time.month - 1]);
  if (token == "MMM") return std::string(kMonthNames[time.month - 1].substr(0, 3));
  if (token == "MM") return fmt::format("{:02}", time.month);
  if (token == "Mo") return Ordinal(time.month);
  if (token == "M") return fmt::format("{}", time.month);
  if (token == "DDDD") return fmt::format("{:03}", time.day_of_year);
  if (token == "DDD") return fmt::format("{}", time.day_of_year);
  if (token == "DD") return fmt::format("{:02}", time.day);
  if (token == "Do") return Ordinal(time.day);
  if (token == "D") return fmt::format("{}", time.day);
  if (token == "dddd") return std::string(kWeekdayNames[time.weekday]);
  if (token == "ddd") return std::string(kWeekdayNames[time.weekday].substr(0, 3));
  if (token == "dd") return std::string(kWeekdayNames[time.weekday].substr(0, 2));
  if (token == "E") return fmt::format("{}", time.weekday == 0 ? 7 : time.weekday);
  return fmt::format("{}", time.weekday);  // d, e
}

std::string TimeToken(const CivilTime& time, std::string_view token) {
  if (token == "HH") return fmt::format("{:02}", time.hour);
  if (token == "H") return fmt::format("{}", time.hour);
  if (token == "hh") return fmt::format("{:02}", TwelveHours(time.hour));
  if (token == "h") return fmt::format("{}", TwelveHours(time.hour));
  if (token == "kk") return fmt::format("{:02}", time.hour == 0 ? 24 : time.hour);
  if (token == "k") return fmt::format("{}", time.hour == 0 ? 24 : time.hour);
  if (token == "mm") return fmt::format("{:02}", time.minute);
  if (token == "m") return fmt::format("{}", time.minute);
  if (token == "ss") return fmt::format("{:02}", time.second);
  if (token == "s") return fmt::format("{}", time.second);
  if (token.front() == 'S') return fmt::format("{:03}000000", time.millisecond).substr(0, token.size());
  if (token == "A") return time.hour < 12 ? "AM" : "PM";
  if (token == "a") return time.hour < 12 ? "am" : "pm";
  if (token == "ZZ") return OffsetText(time.offset_minutes, "");
  if (token == "Z") return OffsetText(time.offset_minutes, ":");
  if (token == "X") return fmt::format("{}", time.time_ms / 1000);
  return fmt::format("{}", time.time_ms);  // x
}

constexpr std::array<std::string_view, 10> kWeekTokens{"gggg", "gg", "GGGG", "GG", "wo", "ww", "w", "Wo", "WW", "W"};
constexpr std::array<std::string_view, 20> kDateTokens{"YYYY", "YY", "Q", "MMMM", "MMM", "MM", "Mo", "M", "DDDD", "DDD",
                                                       "DD",   "Do", "D", "dddd", "ddd", "dd", "d",  "e", "E",    ""};
constexpr std::array<std::string_view, 26> kTimeTokens{
    "HH",     "H",     "hh",   "h",   "kk", "k", "mm", "m", "ss", "s", "SSSSSSSSS", "SSSSSSSS", "SSSSSSS",
    "SSSSSS", "SSSSS", "SSSS", "SSS", "SS", "S", "A",  "a", "ZZ", "Z", "X",         "x",        ""};

template <std::size_t N>
std::string_view TokenAt(std::string_view text, const std::array<std::string_view, N>& tokens) {
  for (const std::string_view token : tokens) {
    if (text.starts_with(token)) return token;
  }
  return {};
}

}  // namespace

CivilTime CivilTimeAt(std::int64_t time_ms, int offset_minutes) {
  using namespace std::chrono;
  const sys_time<milliseconds> local{milliseconds(time_ms) + minutes(offset_minutes)};
  const auto midnight = floor<days>(local);
  const year_month_day date(midnight);
  const hh_mm_ss<milliseconds> clock(local - midnight);
  CivilTime time;
  time.year = static_cast<int>(date.year());
  time.month = static_cast<unsigned>(date.month());
  time.day = static_cast<unsigned>(date.day());
  time.day_of_year = static_cast<unsigned>((midnight - sys_days(date.year() / January / 1)).count()) + 1;
  time.weekday = weekday(midnight).c_encoding();
  time.hour = static_cast<unsigned>(clock.hours().count());
  time.minute = static_cast<unsigned>(clock.minutes().count());
  time.second = static_cast<unsigned>(clock.seconds().count());
  time.millisecond = static_cast<unsigned>(clock.subseconds().count());
  time.offset_minutes = offset_minutes;
  time.time_ms = time_ms;
  return time;
}

int LocalOffsetMinutes(std::int64_t time_ms) {
  const std::time_t seconds = static_cast<std::time_t>(time_ms / 1000);
  std::tm local{};
  if (localtime_r(&seconds, &local) == nullptr) return 0;
  return static_cast<int>(local.tm_gmtoff / 60);
}

std::string FormatMoment(const CivilTime& time, std::string_view format) {
  if (format.empty())
    return FormatMoment(time, "YYYY-MM-DDTHH:mm:ss") +
           (time.offset_minutes == 0 ? "Z" : OffsetText(time.offset_minutes, ":"));
  std::string text;
  while (!format.empty()) {
    const std::size_t bracket = format.front() == '[' ? format.find(']') : std::string_view::npos;
    if (bracket != std::string_view::npos) {
      text.append(format.substr(1, bracket - 1));
      format.remove_prefix(bracket + 1);
    } else if (const std::string_view date = TokenAt(format, kDateTokens); !date.empty()) {
      text.append(DateToken(time, date));
      format.remove_prefix(date.size());
    } else if (const std::string_view week = TokenAt(format, kWeekTokens); !week.empty()) {
      text.append(WeekToken(time, week));
      format.remove_prefix(week.size());
    } else if (const std::string_view clock = TokenAt(format, kTimeTokens); !clock.empty()) {
      text.append(TimeToken(time, clock));
      format.remove_prefix(clock.size());
    } else {
      text.push_back(format.front());
      format.remove_prefix(1);
    }
  }
  return text;
}

}  // namespace sluice::tools
