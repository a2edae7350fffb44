// Times in the formats of moment.js, which the date functions of templates take. Values only; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::tools {

/// A time at an offset from UTC, taken apart.
struct CivilTime {
  std::int64_t year = 1970;
  unsigned month = 1;  // 1 to 12
  unsigned day = 1;
  unsigned day_of_year = 1;
  unsigned weekday = 4;  // 0: Sunday
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  unsigned millisecond = 0;
  int offset_minutes = 0;
  std::int64_t time_ms = 0;  // since 1970
};

CivilTime CivilTimeAt(std::int64_t time_ms, int offset_minutes);
/// The machine's offset from UTC at that time.
int LocalOffsetMinutes(std::int64_t time_ms);

/// "YYYY-MM-DD HH:mm:ss.SSS", "DD/MMM/YYYY:HH:mm:ss ZZ", "[at] h A"; letters that mean nothing stand for themselves.
/// An empty format: ISO 8601, as moment's own default.
std::string FormatMoment(const CivilTime& time, std::string_view format);

extern const std::string_view kMonthNames[12];
extern const std::string_view kWeekdayNames[7];

}  // namespace sluice::tools
