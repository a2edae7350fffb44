// A record is due at start + number / rate: a load that was held up catches up.
#include "tools/generate/pace.h"

#include <algorithm>
#include <thread>

namespace sluice::tools {

namespace {

constexpr std::chrono::milliseconds kLookEvery{50};  // whether to stop, while waiting

std::int64_t Ms(std::chrono::nanoseconds span) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
}

}  // namespace

GeneratePace::GeneratePace(const GenerateSchedule& schedule, std::int64_t now_ms)
    : schedule_(schedule), clock_start_ms_(now_ms), start_(Clock::now()) {}

std::chrono::nanoseconds GeneratePace::DueAfter(std::uint64_t records) const {
  const double rate = schedule_.rate.value_or(kGenerateRateDefault);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(records) / rate * 1e9));
}

bool GeneratePace::WaitForNext(const std::function<bool()>& stopped) {
  if (schedule_.records_max && made_ >= *schedule_.records_max) return false;
  const auto due = start_ + (schedule_.rate ? DueAfter(made_) : std::chrono::nanoseconds(0));
  const auto end = start_ + std::chrono::milliseconds(schedule_.duration_ms.value_or(0));
  if (schedule_.duration_ms && std::max(due, Clock::now()) >= end) return false;
  while (!stopped()) {
    const auto now = Clock::now();
    if (now >= due) {
      ++made_;
      return true;
    }
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(kLookEvery, due - now));
  }
  return false;
}

std::int64_t GeneratePace::now_ms() const {
  return schedule_.start_ms ? simulated_ms() : clock_start_ms_ + Ms(Clock::now() - start_);
}

std::int64_t GeneratePace::simulated_ms() const {
  return schedule_.start_ms.value_or(clock_start_ms_) + Ms(DueAfter(made_ - 1));
}

}  // namespace sluice::tools
