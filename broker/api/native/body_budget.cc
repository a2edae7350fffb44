// First come, first served.
#include "broker/api/native/body_budget.h"

#include <algorithm>
#include <utility>

#include "protocol/check.h"

namespace sluice::broker::native {

bool BodyBudget::Take(EventLoop& loop, const void* who, std::uint64_t bytes, std::move_only_function<void()> resume) {
  SLUICE_CHECK(bytes <= bytes_max_);
  const std::lock_guard lock(mutex_);
  if (waiting_.empty() && bytes_ + bytes <= bytes_max_) {
    bytes_ += bytes;
    return true;
  }
  waiting_.push_back({&loop, who, bytes, std::move(resume)});
  contended_.store(true, std::memory_order_relaxed);
  return false;
}

void BodyBudget::Give(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  SLUICE_CHECK(bytes <= bytes_);
  bytes_ -= bytes;
  GiveToWaiting();
}

bool BodyBudget::Forget(const void* who) {
  std::move_only_function<void()> dropped;  // runs what it holds after the lock
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(waiting_, who, &Waiting::who);
  if (found == waiting_.end()) return false;
  dropped = std::move(found->resume);
  waiting_.erase(found);
  GiveToWaiting();
  return true;
}

// The lock is held.
void BodyBudget::GiveToWaiting() {
  while (!waiting_.empty() && bytes_ + waiting_.front().bytes <= bytes_max_) {
    bytes_ += waiting_.front().bytes;
    waiting_.front().loop->Post(std::move(waiting_.front().resume));
    waiting_.pop_front();
  }
  contended_.store(!waiting_.empty(), std::memory_order_relaxed);
}

}  // namespace sluice::broker::native
