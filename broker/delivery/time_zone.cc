// The TZif reader (RFC 8536 section 3) and its POSIX rule footer.
#include "broker/delivery/time_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <optional>

#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kHeaderSize = 44;
constexpr std::int64_t kDaySeconds = 86'400;

std::int64_t ReadBigEndian(std::string_view bytes, std::size_t at, std::size_t width) {
  SLUICE_CHECK(at + width <= bytes.size() && width <= 8);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  if (width < 8 && (value >> (8 * width - 1)) != 0) value |= ~std::uint64_t{0} << (8 * width);
  return static_cast<std::int64_t>(value);
}

struct Header {
  std::size_t utc_flags, standard_flags, leaps, times, types, characters;

  std::size_t DataSize(std::size_t time_width) const {
    return times * time_width + times + types * 6 + characters + leaps * (time_width + 4) + standard_flags + utc_flags;
  }
};

std::optional<Header> ReadHeader(std::string_view bytes) {
  if (bytes.size() < kHeaderSize || !bytes.starts_with("TZif") || bytes[4] < '2') return std::nullopt;
  const auto count = [&](std::size_t at) { return static_cast<std::size_t>(ReadBigEndian(bytes, at, 4) & 0xFFFFFF); };
  return Header{count(20), count(24), count(28), count(32), count(36), count(40)};
}

std::int64_t DaysOf(int year, unsigned month, unsigned day) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  return std::chrono::sys_days(date).time_since_epoch().count();
}

int YearOf(std::int64_t unix_s) {
  const auto days = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(unix_s)));
  return static_cast<int>(std::chrono::year_month_day(days).year());
}

}  // namespace

/// "CET-1CEST,M3.5.0,M10.5.0/3": the rule of all years after the last transition.
class TimeZone::RuleParser {
 public:
  explicit RuleParser(std::string_view text) : rest_(text) {}

  bool ParseInto(TimeZone& zone) {
    if (!Name(zone.rule_standard_.abbreviation) || !Time(zone.rule_standard_.offset_s)) return false;
    zone.rule_standard_.offset_s = -zone.rule_standard_.offset_s;  // POSIX counts west of UTC
    if (rest_.empty()) return true;
    zone.rule_has_summer_time_ = true;
    if (!Name(zone.rule_summer_.abbreviation)) return false;
    zone.rule_summer_.offset_s = zone.rule_standard_.offset_s + 3600;
    if (!rest_.empty() && rest_.front() != ',') {
      if (!Time(zone.rule_summer_.offset_s)) return false;
      zone.rule_summer_.offset_s = -zone.rule_summer_.offset_s;
    }
    return Change(zone.summer_starts_) && Change(zone.summer_ends_) && rest_.empty();
  }

 private:
  bool Skip(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool Name(std::string& out) {
    const bool quoted = Skip('<');
    std::size_t size = 0;
    while (size < rest_.size() &&
           (quoted ? rest_[size] != '>' : std::isalpha(static_cast<unsigned char>(rest_[size])) != 0)) {
      ++size;
    }
    out = std::string(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return !out.empty() && (!quoted || Skip('>'));
  }

  bool Number(int& out) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
    if (error != std::errc()) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }

  bool Time(std::int32_t& out_s) {
    const bool negative = Skip('-');
    if (!negative) Skip('+');
    int hours = 0, minutes = 0, seconds = 0;
    if (!Number(hours)) return false;
    if (Skip(':') && !Number(minutes)) return false;
    if (Skip(':') && !Number(seconds)) return false;
    out_s = (hours * 60 + minutes) * 60 + seconds;
    if (negative) out_s = -out_s;
    return true;
  }

  bool Change(YearlyChange& out) {
    if (!Skip(',')) return false;
    if (Skip('M')) {
      out.kind = YearlyChange::Kind::kMonthWeekDay;
      if (!Number(out.month) || !Skip('.') || !Number(out.week) || !Skip('.') || !Number(out.weekday)) return false;
      if (out.month < 1 || out.month > 12 || out.week < 1 || out.week > 5 || out.weekday < 0 || out.weekday > 6)
        return false;
    } else {
      out.kind = Skip('J') ? YearlyChange::Kind::kJulianNoLeap : YearlyChange::Kind::kDayOfYear;
      if (!Number(out.day) || out.day < 0 || out.day > 366) return false;
    }
    return !Skip('/') || Time(out.time_s);
  }

  std::string_view rest_;
};

std::int64_t TimeZone::YearlyChange::LocalSeconds(int year) const {
  std::int64_t days = 0;
  if (kind == Kind::kMonthWeekDay) {
    const std::chrono::year_month_weekday_last last{
        std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
        std::chrono::weekday_last(std::chrono::weekday(static_cast<unsigned>(weekday)))};
    const std::chrono::year_month_weekday nth{
        std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
        std::chrono::weekday(static_cast<unsigned>(weekday))[static_cast<unsigned>(week)]};
    days = (week == 5 ? std::chrono::sys_days(last) : std::chrono::sys_days(nth)).time_since_epoch().count();
  } else if (kind == Kind::kJulianNoLeap) {
    const bool after_leap_day = day > 59 && std::chrono::year(year).is_leap();
    days = DaysOf(year, 1, 1) + day - 1 + (after_leap_day ? 1 : 0);
  } else {
    days = DaysOf(year, 1, 1) + day;
  }
  return days * kDaySeconds + time_s;
}

TimeZone TimeZone::Utc() {
  TimeZone zone;
  zone.name_ = "UTC";
  zone.types_.push_back({0, "UTC"});
  return zone;
}

Result<TimeZone> TimeZone::FromTzif(std::string_view name, std::string_view bytes) {
  const auto damaged = [&](std::string_view what) {
    return Error(Code::kCorruption, fmt::format("the file of time zone '{}' {}", name, what));
  };
  const std::optional<Header> first = ReadHeader(bytes);
  if (!first || bytes.size() < kHeaderSize + first->DataSize(4))
    return damaged("is not a TZif file of version 2 or later");
  bytes.remove_prefix(kHeaderSize + first->DataSize(4));
  const std::optional<Header> header = ReadHeader(bytes);
  if (!header || header->types == 0 || bytes.size() < kHeaderSize + header->DataSize(8)) return damaged("is cut short");
  bytes.remove_prefix(kHeaderSize);

  TimeZone zone;
  zone.name_ = std::string(name);
  const std::size_t types_at = header->times * 9;
  const std::string_view names = bytes.substr(types_at + header->types * 6, header->characters);
  for (std::size_t i = 0; i < header->types; ++i) {
    const auto offset_s = static_cast<std::int32_t>(ReadBigEndian(bytes, types_at + i * 6, 4));
    const auto name_at = static_cast<unsigned char>(bytes[types_at + i * 6 + 5]);
    if (name_at >= names.size()) return damaged("has an abbreviation out of range");
    zone.types_.push_back({offset_s, std::string(names.substr(name_at, names.find('\0', name_at) - name_at))});
  }
  for (std::size_t i = 0; i < header->times; ++i) {
    const auto type = static_cast<std::uint8_t>(bytes[header->times * 8 + i]);
    if (type >= zone.types_.size()) return damaged("has a type out of range");
    zone.transitions_.push_back(ReadBigEndian(bytes, i * 8, 8));
    zone.transition_types_.push_back(type);
  }
  if (!std::is_sorted(zone.transitions_.begin(), zone.transitions_.end())) return damaged("has unsorted transitions");
  std::string_view rule = bytes.substr(header->DataSize(8));
  if (rule.starts_with('\n')) rule.remove_prefix(1);
  rule = rule.substr(0, rule.find('\n'));
  if (!rule.empty()) {
    if (!RuleParser(rule).ParseInto(zone))
      return damaged(fmt::format("ends in a rule that does not parse: '{}'", rule));
    zone.has_rule_ = true;
  }
  return zone;
}

TimeZone::Local TimeZone::At(std::int64_t unix_s) const {
  SLUICE_CHECK(!types_.empty() && transitions_.size() == transition_types_.size());
  const auto after = std::upper_bound(transitions_.begin(), transitions_.end(), unix_s);
  const Type* type = &types_.front();
  if (after == transitions_.end() && has_rule_) {
    type = &TypeByRule(unix_s);
  } else if (after != transitions_.begin()) {
    type = &types_[transition_types_[static_cast<std::size_t>(after - transitions_.begin()) - 1]];
  }
  return {type->offset_s, type->abbreviation};
}

const TimeZone::Type& TimeZone::TypeByRule(std::int64_t unix_s) const {
  if (!rule_has_summer_time_) return rule_standard_;
  const int year = YearOf(unix_s + rule_standard_.offset_s);
  const std::int64_t start = summer_starts_.LocalSeconds(year) - rule_standard_.offset_s;
  const std::int64_t end = summer_ends_.LocalSeconds(year) - rule_summer_.offset_s;
  const bool summer =
      start < end ? unix_s >= start && unix_s < end : unix_s >= start || unix_s < end;  // south: over new year
  return summer ? rule_summer_ : rule_standard_;
}

bool IsTimeZoneName(std::string_view name) {
  if (name.empty() || name.size() > 50 || name.front() == '/' || name.find("//") != name.npos) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '/' || c == '_' || c == '+' || c == '-';
  });
}

}  // namespace sluice::delivery
