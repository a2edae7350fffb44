// The calls of Flush that wait. A batch that was opened after a call began has no record from before it, so that a call
// is over when nothing older is left, however much other threads go on sending.
//
// Threads: own locking; Wait and Await on the user's threads, OldestLeft on the client's own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "client/batch_gatherer.h"

namespace sluice::client {

class Flushes {
 public:
  using Time = Batch::Clock::time_point;

  /// One call, from its beginning to its end.
  class Wait {
   public:
    explicit Wait(Flushes& flushes) : flushes_(flushes), began_(Batch::Clock::now()) {
      const std::lock_guard lock(flushes_.mutex_);
      flushes_.waits_.push_back(this);
      ++flushes_.count_;
    }
    ~Wait() {
      const std::lock_guard lock(flushes_.mutex_);
      std::erase(flushes_.waits_, this);
      --flushes_.count_;
    }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

   private:
    friend class Flushes;
    Flushes& flushes_;
    const Time began_;
    bool over_ = false;  // guarded by the mutex of flushes_
  };

  bool any() const { return count_ > 0; }
  void Await(const Wait& wait) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return wait.over_; });
  }
  /// When the oldest batch was opened that is not reported yet; nullopt: there is none.
  void OldestLeft(std::optional<Time> oldest) {
    const std::lock_guard lock(mutex_);
    for (Wait* const wait : waits_) wait->over_ = wait->over_ || !oldest || *oldest > wait->began_;
    changed_.notify_all();
  }

 private:
  std::atomic<int> count_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Wait*> waits_;  // guarded by mutex_
};

}  // namespace sluice::client
