// Calls that an event loop makes later.
//
// Threads: the loop's own; what has not been started, or is over, may be destroyed by any.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>

namespace sluice::broker {

/// The calls that one loop has before it, by their time.
class LoopTimers {
 public:
  using Clock = std::chrono::steady_clock;
  using Calls = std::multimap<Clock::time_point, std::move_only_function<void()>>;

  Calls::iterator Add(Clock::time_point at, std::move_only_function<void()> call) {
    return calls_.emplace(at, std::move(call));
  }
  void Remove(Calls::iterator call) { calls_.erase(call); }
  bool empty() const { return calls_.empty(); }
  /// Until the next call, rounded up, 0 where it is due, an hour at most; not empty.
  std::chrono::milliseconds Left() const;
  void RunDue();

 private:
  Calls calls_;
};

/// One call that comes later; none any more once this is gone.
class LoopTimer {
 public:
  explicit LoopTimer(LoopTimers& timers) : timers_(timers) {}
  LoopTimer(const LoopTimer&) = delete;
  LoopTimer& operator=(const LoopTimer&) = delete;
  ~LoopTimer() { Cancel(); }

  /// In place of the call that was to come. `call` may destroy this.
  void Start(std::chrono::milliseconds delay, std::move_only_function<void()> call);
  void Cancel();

 private:
  LoopTimers& timers_;
  std::optional<LoopTimers::Calls::iterator> call_;
};

}  // namespace sluice::broker
