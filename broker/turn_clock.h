// A monotonic clock that is read once a turn of an event loop: for latencies that are taken for every request, where
// reading the clock would cost more than what lies between two readings.
//
// Threads: its loop's only.
#pragma once

#include <cstdint>

#include "broker/loop/event_loops.h"
#include "storage/env/env.h"

namespace sluice::broker {

class TurnClock {
 public:
  TurnClock(EventLoop& loop, storage::Clock& clock) : loop_(loop), clock_(clock) {}

  /// Nanoseconds at the first call of this turn.
  std::int64_t NowNs() {
    if (!good_) {
      now_ns_ = clock_.MonotonicNs();
      good_ = true;
      loop_.Post([this] { good_ = false; });
    }
    return now_ns_;
  }

 private:
  EventLoop& loop_;
  storage::Clock& clock_;
  std::int64_t now_ns_ = 0;
  bool good_ = false;
};

}  // namespace sluice::broker
