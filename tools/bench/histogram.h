// Latency samples with exact percentiles. Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::tools {

class Histogram {
 public:
  void Add(std::int64_t nanoseconds);
  void Merge(const Histogram& other);
  std::size_t count() const { return samples_ns_.size(); }
  /// Microseconds at `percent` (0 to 100); 0 where there is no sample. Sorts what was added since the last call.
  double PercentileUs(double percent);

 private:
  std::vector<std::uint32_t> samples_ns_;  // up to 4.29 s each; longer ones count as that
  bool sorted_ = true;
};

}  // namespace sluice::tools
