// Numbers with units.
#include "broker/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sluice::broker {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::array kByteUnits = {
    Unit{"TiB", std::int64_t{1} << 40},
    Unit{"GiB", 1 << 30},
    Unit{"MiB", 1 << 20},
    Unit{"KiB", 1 << 10},
    Unit{"TB", 1'000'000'000'000},
    Unit{"GB", 1'000'000'000},
    Unit{"MB", 1'000'000},
    Unit{"KB", 1'000},
    Unit{"B", 1},
    Unit{"", 1},
};
constexpr std::array kTimeUnits = {
    Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000}, Unit{"ms", 1},
};
constexpr double kLargest = 9e18;  // below 2^63

bool SameWord(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

template <std::size_t kCount>
std::optional<std::int64_t> ParseWithUnit(std::string_view text, const std::array<Unit, kCount>& units) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || !(number >= 0)) return std::nullopt;
  std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (name.starts_with(' ')) name.remove_prefix(1);
  for (const Unit& unit : units) {
    if (!SameWord(name, unit.name)) continue;
    const double value = number * static_cast<double>(unit.factor);
    if (value > kLargest || value != std::floor(value)) return std::nullopt;
    return static_cast<std::int64_t>(value);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> ParseBytes(std::string_view text) {
  const auto bytes = ParseWithUnit(text, kByteUnits);
  if (!bytes) return std::nullopt;
  return static_cast<std::uint64_t>(*bytes);
}

std::optional<std::int64_t> ParseDurationMs(std::string_view text) { return ParseWithUnit(text, kTimeUnits); }

std::string FormatBytes(std::uint64_t bytes) {
  for (const Unit& unit : kByteUnits) {
    const auto factor = static_cast<std::uint64_t>(unit.factor);
    if (unit.name.ends_with("iB") && bytes != 0 && bytes % factor == 0) {
      return std::to_string(bytes / factor).append(unit.name);
    }
  }
  return std::to_string(bytes) + "B";
}

std::string FormatDurationMs(std::int64_t ms) {
  for (const Unit& unit : kTimeUnits) {
    if (ms != 0 && ms % unit.factor == 0) return std::to_string(ms / unit.factor).append(unit.name);
  }
  return std::to_string(ms) + "ms";
}

}  // namespace sluice::broker
