// The times of the last 24 hours, by key.
#include "broker/api/kinesis/daily_limiter.h"

namespace sluice::broker::kinesis {
namespace {

constexpr std::int64_t kDayNs = 24ll * 3600 * 1'000'000'000;

}  // namespace

bool DailyLimiter::Take(const std::string& key) {
  const std::int64_t now_ns = clock_.MonotonicNs();
  const std::lock_guard lock(mutex_);
  for (auto& [one, times] : taken_) {
    while (!times.empty() && now_ns - times.front() >= kDayNs) times.pop_front();
  }
  std::erase_if(taken_, [](const auto& one) { return one.second.empty(); });
  auto& times = taken_[key];
  if (times.size() >= times_max_) return false;
  times.push_back(now_ns);
  return true;
}

void DailyLimiter::GiveBack(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = taken_.find(key);
  if (found != taken_.end() && !found->second.empty()) found->second.pop_back();
}

}  // namespace sluice::broker::kinesis
