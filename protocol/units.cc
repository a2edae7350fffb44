// Numbers with units.
#include "protocol/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sluice::protocol {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::array kByteUnits = {
    Unit{"PiB", std::int64_t{1} << 50},
    Unit{"TiB", std::int64_t{1} << 40},
    Unit{"GiB", 1 << 30},
    Unit{"MiB", 1 << 20},
    Unit{"KiB", 1 << 10},
    Unit{"PB", 1'000'000'000'000'000},
    Unit{"TB", 1'000'000'000'000},
    Unit{"GB", 1'000'000'000},
    Unit{"MB", 1'000'000},
    Unit{"KB", 1'000},
    Unit{"B", 1},
    Unit{"", 1},
};
constexpr std::array kTimeUnits = {
    Unit{"w", 604'800'000}, Unit{"d", 86'400'000}, Unit{"h", 3'600'000},
    Unit{"m", 60'000},      Unit{"s", 1'000},      Unit{"ms", 1},
};
constexpr std::int64_t kLargest = 9'000'000'000'000'000'000;  // below 2^63

bool SameWord(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

/// The number in front of the unit: whole ones exactly, others as a double.
struct Number {
  std::optional<std::int64_t> whole;
  double value = 0;
  std::string_view rest;
};

std::optional<Number> ParseNumber(std::string_view text) {
  Number number;
  const char* const end = text.data() + text.size();
  std::int64_t whole = 0;
  auto [whole_end, whole_error] = std::from_chars(text.data(), end, whole);
  const auto [value_end, value_error] = std::from_chars(text.data(), end, number.value, std::chars_format::fixed);
  if (value_error != std::errc() || !(number.value >= 0)) return std::nullopt;
  if (whole_error == std::errc() && whole_end == value_end) number.whole = whole;
  number.rest = std::string_view(value_end, static_cast<std::size_t>(end - value_end));
  while (number.rest.starts_with(' ')) number.rest.remove_prefix(1);
  return number;
}

std::optional<std::int64_t> Multiplied(const Number& number, std::int64_t factor) {
  if (number.whole) {
    if (*number.whole > kLargest / factor) return std::nullopt;
    return *number.whole * factor;
  }
  const double value = number.value * static_cast<double>(factor);
  if (value > static_cast<double>(kLargest) || value != std::floor(value)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

template <std::size_t kCount>
std::optional<std::int64_t> ParseWithUnit(std::string_view text, const std::array<Unit, kCount>& units) {
  const std::optional<Number> number = ParseNumber(text);
  if (!number) return std::nullopt;
  const auto unit = std::ranges::find_if(units, [&](const Unit& known) { return SameWord(number->rest, known.name); });
  return unit == units.end() ? std::nullopt : Multiplied(*number, unit->factor);
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
    if (unit.name != "w" && ms != 0 && ms % unit.factor == 0) return std::to_string(ms / unit.factor).append(unit.name);
  }
  return std::to_string(ms) + "ms";
}

}  // namespace sluice::protocol
