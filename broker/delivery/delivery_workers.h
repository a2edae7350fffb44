// A small pool of threads that take turns with tasks: each task does a bounded piece of work and says when it wants to
// go on.
//
// A task never runs on two threads at once. Whoever has waited longest past its time goes first, so that none starves.
//
// Threads: all calls from any thread but a task's own. Stop (or the destructor) returns when no task runs any more.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "storage/env/env.h"

namespace sluice::delivery {

class DeliveryWorkers {
 public:
  /// Does a piece of work and returns the milliseconds until it is to be called again; 0: at once.
  using Task = std::function<std::int64_t()>;

  /// `clock` outlives the pool.
  DeliveryWorkers(storage::Clock& clock, std::size_t threads);
  ~DeliveryWorkers();

  /// The name must not be in use.
  void Add(std::string_view name, Task task);
  /// Returns when the task does not run any more and never will.
  void Remove(std::string_view name);
  /// Lets the task run now, or again where it is running.
  void Wake(std::string_view name);
  /// Runs `work` on this thread while the task does not run; then the task is due.
  void RunBetween(std::string_view name, const std::function<void()>& work);
  /// Waits until `done` is true, looking after each run of any task, or the time is over. Returns what `done` says
  /// then.
  bool WaitUntil(const std::function<bool()>& done, std::int64_t timeout_ms);
  void Stop();

 private:
  struct Entry {
    Task task;
    std::int64_t due_ns = 0;
    bool running = false;
    bool woken = false;
  };
  void Run();
  /// The entry that is due longest, nullptr where none is; `wait_ms` is then how long to wait. Call with mutex_ held.
  Entry* NextDue(std::int64_t& wait_ms);

  storage::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<Entry>, std::less<>> entries_;  // guarded by mutex_
  bool stopping_ = false;                                               // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace sluice::delivery
