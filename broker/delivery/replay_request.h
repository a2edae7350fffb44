// A replay that somebody has asked for: error records of the ledger that go through the delivery stream once more. What
// is told of it lives in memory only; what was delivered again is in the ledger, so that after a restart the same
// request goes on where it was.
//
// Threads: any; own locking.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "broker/delivery/error_source.h"

namespace sluice::delivery {

struct ReplayProgress {
  std::uint64_t number = 0;
  ErrorFilter filter = {};
  std::uint64_t records = 0;  // that were delivered again
  std::uint64_t failed = 0;   // of what became of them: in the error output again
  bool done = false;
  std::string problem = {};  // why some of them were not; with `done`
  std::uint64_t gone = 0;    // dead letters that could not be, as they are no longer there; with `done`
};

class ReplayRequest {
 public:
  /// Numbers from `first` on, so that those of an earlier start lie below.
  explicit ReplayRequest(std::uint64_t first) : next_number_(first + 1) {}

  /// Asks for a replay, in place of one that is not done. Gives its number.
  std::uint64_t Begin(const ErrorFilter& filter);
  /// nullopt where that is not the last one that was asked for.
  std::optional<ReplayProgress> Find(std::uint64_t number) const;

  /// For the delivery stream's own thread: what is to be done; nullopt: nothing.
  std::optional<ReplayProgress> Wanted() const;
  void Delivered(std::uint64_t records, std::uint64_t failed);
  void End(const std::string& problem, std::uint64_t gone);

 private:
  mutable std::mutex mutex_;
  std::uint64_t next_number_;              // guarded by mutex_
  std::optional<ReplayProgress> current_;  // guarded by mutex_
};

}  // namespace sluice::delivery
