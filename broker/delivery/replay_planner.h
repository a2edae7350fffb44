// Decides which error records a replay delivers next: as many as one object has, those of the oldest deliveries first.
//
// A function of the ledger and of its error records; thread-safe as their reader is. Memory: one line, and the ranges
// of those that were chosen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/delivery/delivery_state.h"
#include "broker/delivery/error_source.h"
#include "sluice/status.h"

namespace sluice::delivery {

struct ReplayPlan {
  std::vector<ReplayedLines> replays;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;                   // of the records
  std::int64_t oldest_ms = 0;                // when the oldest of them arrived
  std::vector<std::string> unreadable = {};  // why places were passed over, which are not what the ledger says
  std::uint64_t gone = 0;                    // dead letters that are no longer there, of the places that were looked at
};

/// Nothing is chosen where nothing is left.
Result<ReplayPlan> PlanReplay(ErrorReader& reader, const std::vector<LedgerEntry>& ledger, const ErrorFilter& filter,
                              std::uint64_t bytes_max);

}  // namespace sluice::delivery
