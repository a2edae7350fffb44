// Looks at the producer's counters once a second.
#include "tools/sluice/wait_notice.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

namespace sluice::tools {
namespace {

constexpr std::chrono::seconds kInterval{1};
constexpr int kQuietIntervals = 3;  // a broker that restarts, or a moment without memory, needs no word

/// False where it is time to end.
bool Pause(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, kInterval, [] { return false; });
  return !stop.stop_requested();
}

void Watch(const Producer& producer, const std::stop_token& stop) {
  std::uint64_t acknowledged = 0;
  int quiet = 0;
  std::string told;
  while (Pause(stop)) {
    const ProducerStats stats = producer.stats();
    if (stats.last_retry.ok() || stats.records_acknowledged != acknowledged) {
      acknowledged = stats.records_acknowledged;
      quiet = 0;
      told.clear();
    } else if (++quiet >= kQuietIntervals && told != stats.last_retry.message()) {
      told = stats.last_retry.message();
      fmt::print(stderr, "sluice: waiting, and trying again: {}\n", told);
    }
  }
}

}  // namespace

WaitNotice::WaitNotice(const Producer& producer)
    : thread_([&producer](const std::stop_token& stop) { Watch(producer, stop); }) {}

}  // namespace sluice::tools
