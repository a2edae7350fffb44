// How often something may be done in any 24 hours, for applications that want to be held to AWS's limits. Counted by
// this run of the broker: a restart forgets.
//
// Threads: any; one short lock.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "storage/env/env.h"

namespace sluice::broker::kinesis {

class DailyLimiter {
 public:
  /// `clock` outlives it.
  DailyLimiter(storage::Clock& clock, std::size_t times_max) : clock_(clock), times_max_(times_max) {}

  /// False where `key` has had its times.
  bool Take(const std::string& key);
  /// What was taken last was not done after all.
  void GiveBack(const std::string& key);

 private:
  storage::Clock& clock_;
  const std::size_t times_max_;
  std::mutex mutex_;
  std::map<std::string, std::deque<std::int64_t>> taken_;  // guarded by mutex_; monotonic ns, ascending
};

}  // namespace sluice::broker::kinesis
