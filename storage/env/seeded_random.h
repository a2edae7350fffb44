// A small, fast source of randomness for names, jitter and tests; not for secrets. The same seed gives the same
// numbers.
//
// Threads: Next from any thread without a lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "storage/env/env.h"

namespace sluice::storage {

/// SplitMix64: a counter and a mixing function.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() override {
    std::uint64_t z = state_.fetch_add(kStep, std::memory_order_relaxed) + kStep;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

 private:
  static constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15u;
  std::atomic<std::uint64_t> state_;
};

}  // namespace sluice::storage
