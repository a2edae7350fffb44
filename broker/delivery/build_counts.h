// What is counted while the objects of a delivery are made, and is not in its ledger. Values only; thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace sluice::delivery {

/// For metrics.
struct BuildCounts {
  std::map<std::string, std::uint64_t, std::less<>> errors;  // error records, by type
  std::uint64_t partitions = 0;                              // 0 without dynamic partitioning
  std::uint64_t over_partitions_max = 0;                     // records of partitions above the bound
  double partition_bytes_per_s = 0;                          // of the partition that had most bytes; 0 likewise
};

}  // namespace sluice::delivery
