// When each record of a load is due, and when the load ends.
//
// Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace sluice::tools {

inline constexpr double kGenerateRateDefault = 100;  // the Kinesis Data Generator's

struct GenerateSchedule {
  std::optional<double> rate = {};  // records a second; none: as fast as it goes
  std::optional<std::uint64_t> records_max = {};
  std::optional<std::int64_t> duration_ms = {};
  std::optional<std::int64_t> start_ms = {};  // what the first record takes for now; none: what the clock says
};

class GeneratePace {
 public:
  GeneratePace(const GenerateSchedule& schedule, std::int64_t now_ms);

  /// Waits until the next record is due. False where there is none any more, or `stopped` has become true.
  bool WaitForNext(const std::function<bool()>& stopped);
  /// Records so far, the present one included.
  std::uint64_t made() const { return made_; }
  /// The time of the present record for date.now, and for date.simTime.
  std::int64_t now_ms() const;
  std::int64_t simulated_ms() const;

 private:
  using Clock = std::chrono::steady_clock;
  std::chrono::nanoseconds DueAfter(std::uint64_t records) const;

  const GenerateSchedule schedule_;
  const std::int64_t clock_start_ms_;
  const Clock::time_point start_;
  std::uint64_t made_ = 0;
};

}  // namespace sluice::tools
