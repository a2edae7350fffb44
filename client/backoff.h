// Pauses between tries: doubled each time up to a limit, with jitter, so that many clients do not come back at once.
//
// Threads: one.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

#include "sluice/types.h"

namespace sluice::client {

class Backoff {
 public:
  explicit Backoff(const ClientOptions& options)
      : min_(options.retry_backoff_min),
        max_(options.retry_backoff_max),
        next_(min_),
        random_(std::random_device()()) {}

  /// Between half of the pause and all of it.
  std::chrono::microseconds Next() {
    const std::chrono::microseconds pause = next_;
    next_ = std::min<std::chrono::microseconds>(max_, 2 * next_);
    return pause - pause * std::uniform_int_distribution(0, 500)(random_) / 1000;
  }
  void Reset() { next_ = min_; }

 private:
  const std::chrono::microseconds min_;
  const std::chrono::microseconds max_;
  std::chrono::microseconds next_;
  std::minstd_rand random_;
};

}  // namespace sluice::client
