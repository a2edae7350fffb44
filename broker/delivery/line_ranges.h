// Lines of an error object by their numbers, or records of a shard by their offsets, as ranges: which of them are
// meant, out of perhaps millions.
//
// Values only; thread-safe.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice::delivery {

/// Lines [first, last], both included, from 0.
struct LineRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  friend bool operator==(const LineRange&, const LineRange&) = default;
};

/// Ranges are ascending, and do not touch one another.
using LineRanges = std::vector<LineRange>;

/// `line` lies behind all of `ranges`.
void AddLine(LineRanges& ranges, std::uint64_t line);
std::uint64_t CountLines(const LineRanges& ranges);
bool HasLine(const LineRanges& ranges, std::uint64_t line);
/// False where the two have lines in common; then `ranges` is not changed.
bool AddRanges(LineRanges& ranges, const LineRanges& more);
/// `ranges` in their order, and one where they touch or overlap.
LineRanges United(LineRanges ranges);
/// Those of `ranges` that are not in `taken`.
LineRanges Without(const LineRanges& ranges, const LineRanges& taken);

}  // namespace sluice::delivery
