// An Executor that a test drives by hand: tasks queue up until the test runs them.
//
// Threads: Post from any; the rest from the one thread that plays the loop.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

#include "storage/executor.h"

namespace sluice::storage {

class ManualLoop final : public Executor {
 public:
  void Post(std::move_only_function<void()> task) override {
    const std::scoped_lock lock(mutex_);
    tasks_.push_back(std::move(task));
    posted_.notify_one();
  }

  /// Runs what is queued now and what that queues. Returns how many ran.
  int RunReady() {
    int count = 0;
    for (std::unique_lock lock(mutex_); !tasks_.empty(); ++count) {
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
    return count;
  }

  /// What is queued is never run: the end of a process that was killed.
  void Forget() {
    std::deque<std::move_only_function<void()>> forgotten;
    const std::scoped_lock lock(mutex_);
    tasks_.swap(forgotten);
  }

  /// Runs tasks as they come until `done` holds. False where that takes longer than `patience`: a hang.
  bool RunUntil(const std::function<bool()>& done, std::chrono::seconds patience = std::chrono::seconds(10)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
      RunReady();
      if (done()) return true;
      if (std::chrono::steady_clock::now() >= deadline) return false;  // `done` itself may post
      std::unique_lock lock(mutex_);
      if (!posted_.wait_until(lock, deadline, [&] { return !tasks_.empty(); })) return done();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::move_only_function<void()>> tasks_;
};

}  // namespace sluice::storage
