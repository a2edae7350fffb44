// Runs what is posted to it on the thread that waits: the broker's services answer "on the caller", and this is the
// caller.
//
// Threads: Post from any; RunUntil by one at a time.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

#include "storage/executor.h"

namespace sluice::delivery {

class WaitingExecutor : public storage::Executor {
 public:
  void Post(std::move_only_function<void()> task) override {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    posted_.notify_one();
  }

  /// Until a task has set `done`.
  void RunUntil(const bool& done) {
    while (!done) {
      std::unique_lock lock(mutex_);
      posted_.wait(lock, [this] { return !tasks_.empty(); });
      std::move_only_function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::move_only_function<void()>> tasks_;  // guarded by mutex_
};

}  // namespace sluice::delivery
