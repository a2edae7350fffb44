// Exact percentiles by sorting once.
#include "tools/bench/histogram.h"

#include <algorithm>
#include <limits>

namespace sluice::tools {

void Histogram::Add(std::int64_t nanoseconds) {
  constexpr std::int64_t kMax = std::numeric_limits<std::uint32_t>::max();
  samples_ns_.push_back(static_cast<std::uint32_t>(std::clamp<std::int64_t>(nanoseconds, 0, kMax)));
  sorted_ = false;
}

void Histogram::Merge(const Histogram& other) {
  samples_ns_.insert(samples_ns_.end(), other.samples_ns_.begin(), other.samples_ns_.end());
  sorted_ = false;
}

double Histogram::PercentileUs(double percent) {
  if (samples_ns_.empty()) return 0;
  if (!sorted_) std::ranges::sort(samples_ns_);
  sorted_ = true;
  const auto index = static_cast<std::size_t>(percent / 100 * static_cast<double>(samples_ns_.size()));
  return samples_ns_[std::min(index, samples_ns_.size() - 1)] / 1000.0;
}

}  // namespace sluice::tools
