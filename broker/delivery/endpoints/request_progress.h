// How far a delivery to an endpoint has come: what a try of it tells the next one. Values only; in memory, as a restart
// sends the requests again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/delivery/delivery_state.h"

namespace sluice::delivery {

struct RequestProgress {
  std::string delivery = {};                 // which one: another has another
  std::uint64_t settled = 0;                 // requests that have come to their end
  std::vector<RefusedRequest> refused = {};  // those of them that were given up
  std::uint32_t attempts = 0;                // of the one behind them
  std::vector<std::uint32_t> left = {};      // its records that are not taken yet, by their places; empty: all
  bool failing = false;                      // since the last success
  std::int64_t failing_since_ms = 0;         // of the clock that only goes forward; where it is
};

}  // namespace sluice::delivery
