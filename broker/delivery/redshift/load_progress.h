// How far the load of a delivery has come: what a try of it tells the next one. In memory, as a restart writes the
// same objects again and asks the cluster whether they are loaded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "broker/delivery/build_counts.h"
#include "broker/delivery/delivery_state.h"

namespace sluice::delivery {

class LoadAttempt;

struct LoadProgress {
  std::string delivery = {};               // which one: another has another
  std::optional<LedgerEntry> built = {};   // its objects are durable
  BuildCounts counts = {};                 // of that
  bool has_manifest = false;               // and so is the manifest
  std::uint32_t attempts = 0;              // that have come to an end
  std::int64_t failing_since_ms = 0;       // of the clock that only goes forward; with attempts
  bool creates_table = false;              // the table of loads was missing
  bool may_be_loaded = false;              // a connection broke at COMMIT, and nobody has said since what became of it
  std::int64_t ask_ms = 0;                 // the last pause of the attempt that runs
  std::shared_ptr<LoadAttempt> attempt{};  // that runs; nullptr: none does
};

}  // namespace sluice::delivery
