// How many connections a door has, over all loops; and waiting for the last one to end. Threads: any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "protocol/check.h"

namespace sluice::broker {

class ConnectionCount {
 public:
  /// One more, unless there are `max` already.
  bool Add(std::uint32_t max) {
    const std::lock_guard lock(mutex_);
    if (count_ >= max) return false;
    ++count_;
    return true;
  }
  void Remove() {
    const std::lock_guard lock(mutex_);
    SLUICE_CHECK(count_ > 0);
    if (--count_ == 0) none_.notify_all();
  }
  /// False where some are left after this time.
  bool WaitForNone(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, timeout, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::uint32_t count_ = 0;  // guarded by mutex_
};

}  // namespace sluice::broker
