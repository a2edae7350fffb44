// A time zone out of the system's zone files (TZif, RFC 8536): the difference to UTC and the abbreviation at a moment.
//
// The standard library of Debian 12 has no time zone database. Immutable after construction; safe to share between
// threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"

namespace sluice::delivery {

class TimeZone {
 public:
  struct Local {
    std::int32_t offset_s = 0;  // east of UTC
    std::string_view abbreviation;
  };

  static TimeZone Utc();
  /// Parses the bytes of one zone file. kCorruption where they are not TZif version 2 or later.
  static Result<TimeZone> FromTzif(std::string_view name, std::string_view bytes);

  const std::string& name() const { return name_; }
  Local At(std::int64_t unix_s) const;

 private:
  struct Type {
    std::int32_t offset_s = 0;
    std::string abbreviation;
  };
  /// A yearly change of the POSIX rule that holds after the last transition: month, week, weekday, or a day of the
  /// year.
  struct YearlyChange {
    enum class Kind { kMonthWeekDay, kJulianNoLeap, kDayOfYear };
    Kind kind = Kind::kMonthWeekDay;
    int month = 0, week = 0, weekday = 0;
    int day = 0;
    std::int32_t time_s = 7200;
    std::int64_t LocalSeconds(int year) const;
  };
  class RuleParser;

  TimeZone() = default;
  const Type& TypeByRule(std::int64_t unix_s) const;

  std::string name_;
  std::vector<std::int64_t> transitions_;       // ascending, Unix seconds
  std::vector<std::uint8_t> transition_types_;  // the type from that transition on
  std::vector<Type> types_;                     // never empty; the first holds before all transitions
  bool has_rule_ = false;
  bool rule_has_summer_time_ = false;
  Type rule_standard_;
  Type rule_summer_;
  YearlyChange summer_starts_;
  YearlyChange summer_ends_;
};

/// "[a-zA-Z/_]+" as Firehose's CustomTimeZone, plus digits, '+' and '-' of the zones that have them.
bool IsTimeZoneName(std::string_view name);

}  // namespace sluice::delivery
