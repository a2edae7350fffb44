// An event loop that the test turns by hand: tasks wait until RunUntil lets them run, on the test's own thread.
//
// Threads: Post from any thread; the rest from the test's thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

#include "storage/executor.h"

namespace sluice::storage {

class TestLoop final : public Executor {
 public:
  void Post(std::move_only_function<void()> task) override {
    const std::scoped_lock lock(mutex_);
    tasks_.push_back(std::move(task));
    posted_.notify_one();
  }

  /// Runs what waits now, and what that posts.
  void RunPending() {
    while (auto task = Take()) task();
  }

  /// What waits is never run: the end of a process that was killed.
  void Forget() {
    std::deque<std::move_only_function<void()>> forgotten;
    const std::scoped_lock lock(mutex_);
    tasks_.swap(forgotten);
  }

  /// Runs tasks until `done` holds; false where that takes longer than `patience`, which is a hang.
  bool RunUntil(const std::function<bool()>& done, std::chrono::seconds patience = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!done()) {
      if (auto task = Take()) {
        task();
        continue;
      }
      std::unique_lock lock(mutex_);
      if (!posted_.wait_until(lock, deadline, [this] { return !tasks_.empty(); })) return done();
    }
    return true;
  }

 private:
  std::move_only_function<void()> Take() {
    const std::scoped_lock lock(mutex_);
    if (tasks_.empty()) return {};
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }

  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::move_only_function<void()>> tasks_;  // guarded by mutex_
};

}  // namespace sluice::storage
