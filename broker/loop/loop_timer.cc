// A call is taken out before it is made, as it may start the next one.
#include "broker/loop/loop_timer.h"

#include <algorithm>
#include <utility>

namespace sluice::broker {

std::chrono::milliseconds LoopTimers::Left() const {
  using std::chrono::milliseconds;
  const auto left = std::chrono::ceil<milliseconds>(calls_.begin()->first - Clock::now());
  return std::clamp<milliseconds>(left, milliseconds(0), std::chrono::hours(1));
}

void LoopTimers::RunDue() {
  if (calls_.empty()) return;
  const Clock::time_point now = Clock::now();  // those that start now wait for the next turn
  while (!calls_.empty() && calls_.begin()->first <= now) calls_.extract(calls_.begin()).mapped()();
}

void LoopTimer::Start(std::chrono::milliseconds delay, std::move_only_function<void()> call) {
  Cancel();
  call_ = timers_.Add(LoopTimers::Clock::now() + delay, [this, call = std::move(call)]() mutable {
    call_.reset();
    call();
  });
}

void LoopTimer::Cancel() {
  if (call_) timers_.Remove(*std::exchange(call_, std::nullopt));
}

}  // namespace sluice::broker
