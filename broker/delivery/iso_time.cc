// Reading and writing of moments.
#include "broker/delivery/iso_time.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

#include "protocol/ascii.h"

namespace sluice::delivery {
namespace {

/// Takes exactly `digits` digits off the front.
std::optional<int> TakeDigits(std::string_view& text, std::size_t digits) {
  int value = 0;
  if (text.size() < digits || text[0] < '0' || text[0] > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
  if (error != std::errc() || end != text.data() + digits) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool TakeChar(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == any_of.npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> TakeDateMs(std::string_view& text) {
  const std::optional<int> year = TakeDigits(text, 4);
  if (!year || !TakeChar(text, "-")) return std::nullopt;
  const std::optional<int> month = TakeDigits(text, 2);
  if (!month || !TakeChar(text, "-")) return std::nullopt;
  const std::optional<int> day = TakeDigits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::milliseconds(std::chrono::sys_days(date).time_since_epoch()).count();
}

std::optional<std::int64_t> TakeTimeMs(std::string_view& text) {
  const std::optional<int> hour = TakeDigits(text, 2);
  if (!hour || *hour > 23 || !TakeChar(text, ":")) return std::nullopt;
  const std::optional<int> minute = TakeDigits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t ms = (*hour * 60 + *minute) * 60'000ll;
  if (!TakeChar(text, ":")) return ms;
  const std::optional<int> second = TakeDigits(text, 2);
  if (!second || *second > 59) return std::nullopt;
  ms += *second * 1000;
  if (!TakeChar(text, ".,")) return ms;
  int scale = 100;
  for (; !text.empty() && protocol::IsDigit(text.front()); text.remove_prefix(1), scale /= 10)
    ms += (text.front() - '0') * scale;
  return ms;
}

/// Milliseconds east of UTC; "Z" or an offset must follow a time.
std::optional<std::int64_t> TakeZoneMs(std::string_view& text) {
  if (TakeChar(text, "Zz")) return 0;
  const bool west = text.starts_with('-');
  if (!TakeChar(text, "+-")) return std::nullopt;
  const std::optional<int> hours = TakeDigits(text, 2);
  TakeChar(text, ":");
  const std::optional<int> minutes = text.empty() ? 0 : TakeDigits(text, 2);
  if (!hours || !minutes) return std::nullopt;
  const std::int64_t ms = (*hours * 60 + *minutes) * 60'000ll;
  return west ? -ms : ms;
}

}  // namespace

std::optional<std::int64_t> ParseIsoTimeMs(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!text.empty() && error == std::errc() && end == text.data() + text.size()) {
    constexpr std::int64_t kSecondsMax = 100'000'000'000;
    if (number < 0) return std::nullopt;
    return number < kSecondsMax ? number * 1000 : number;
  }
  const std::optional<std::int64_t> date_ms = TakeDateMs(text);
  if (!date_ms) return std::nullopt;
  if (text.empty()) return date_ms;
  if (!TakeChar(text, "Tt ")) return std::nullopt;
  const std::optional<std::int64_t> time_ms = TakeTimeMs(text);
  if (!time_ms) return std::nullopt;
  const std::optional<std::int64_t> zone_ms = TakeZoneMs(text);
  if (!zone_ms || !text.empty()) return std::nullopt;
  return *date_ms + *time_ms - *zone_ms;
}

std::string IsoTimeText(std::int64_t time_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> moment{std::chrono::milliseconds(time_ms)};
  const auto days = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss time(moment - days);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

}  // namespace sluice::delivery
