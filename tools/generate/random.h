// Random numbers that are the same for a seed on every machine: the standard's distributions are not.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <random>
#include <span>

namespace sluice::tools {

class SeededRandom {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t Next() { return engine_(); }
  /// 0 to `end` - 1; `end` is above 0.
  std::uint64_t Below(std::uint64_t end) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(engine_()) * end) >> 64);
  }
  /// From `first` to `last`, both included.
  std::int64_t Between(std::int64_t first, std::int64_t last) {
    return first + static_cast<std::int64_t>(Below(static_cast<std::uint64_t>(last - first) + 1));
  }
  /// From 0 up to, but not, 1.
  double Fraction() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  template <typename T>
  const T& Pick(std::span<const T> choices) {
    return choices[Below(choices.size())];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace sluice::tools
