// Searching and merging of ranges.
#include "broker/delivery/line_ranges.h"

#include <algorithm>

#include "protocol/check.h"

namespace sluice::delivery {

void AddLine(LineRanges& ranges, std::uint64_t line) {
  SLUICE_CHECK(ranges.empty() || line > ranges.back().last);
  if (!ranges.empty() && line == ranges.back().last + 1) {
    ranges.back().last = line;
  } else {
    ranges.push_back({line, line});
  }
}

std::uint64_t CountLines(const LineRanges& ranges) {
  std::uint64_t lines = 0;
  for (const LineRange& range : ranges) lines += range.last - range.first + 1;
  return lines;
}

bool HasLine(const LineRanges& ranges, std::uint64_t line) {
  const auto found = std::ranges::lower_bound(ranges, line, {}, &LineRange::last);
  return found != ranges.end() && found->first <= line;
}

bool AddRanges(LineRanges& ranges, const LineRanges& more) {
  LineRanges all = ranges;
  all.insert(all.end(), more.begin(), more.end());
  all = United(std::move(all));
  if (CountLines(all) != CountLines(ranges) + CountLines(more)) return false;
  ranges = std::move(all);
  return true;
}

LineRanges United(LineRanges ranges) {
  std::ranges::sort(ranges, {}, &LineRange::first);
  LineRanges united;
  for (const LineRange& range : ranges) {
    if (!united.empty() && range.first <= united.back().last + 1) {
      united.back().last = std::max(united.back().last, range.last);
    } else {
      united.push_back(range);
    }
  }
  return united;
}

LineRanges Without(const LineRanges& ranges, const LineRanges& taken) {
  LineRanges left;
  for (LineRange range : ranges) {
    auto cut = std::ranges::lower_bound(taken, range.first, {}, &LineRange::last);
    for (; cut != taken.end() && cut->first <= range.last; ++cut) {
      if (cut->first > range.first) left.push_back({range.first, cut->first - 1});
      if (cut->last >= range.last) break;
      range.first = cut->last + 1;
    }
    if (cut == taken.end() || cut->first > range.last) left.push_back(range);
  }
  return left;
}

}  // namespace sluice::delivery
