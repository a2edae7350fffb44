// Rounds and medians.
#include "tools/bench/turns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::tools {

namespace {

double Cost(LoadResult& result, bool open_loop) {
  return open_loop ? result.latency.PercentileUs(99) : -static_cast<double>(result.requests);
}

}  // namespace

LoadResult Median(std::vector<LoadResult>& results, bool open_loop) {
  std::ranges::sort(results, {}, [&](LoadResult& result) { return Cost(result, open_loop); });
  return std::move(results[results.size() / 2]);
}

Result<Measured> TakeTurns(const Turns& turns) {
  std::vector<LoadResult> ours;
  std::array<std::vector<LoadResult>, 2> bounds;  // committing inline, and on a thread
  for (int round = 0; round < turns.rounds; ++round) {
    for (const bool commit_thread : {false, true}) {
      auto bound = turns.bound(commit_thread);
      if (!bound) return Error(bound.error());
      bounds.at(commit_thread ? 1 : 0).push_back(std::move(*bound));
    }
    auto result = turns.ours();
    if (!result) return Error(result.error());
    ours.push_back(std::move(*result));
  }
  // The bound is what the machine allows: the better of the two.
  LoadResult inline_bound = Median(bounds[0], turns.open_loop);
  LoadResult thread_bound = Median(bounds[1], turns.open_loop);
  const bool inline_wins = Cost(inline_bound, turns.open_loop) <= Cost(thread_bound, turns.open_loop);
  return Measured{Median(ours, turns.open_loop), std::move(inline_wins ? inline_bound : thread_bound)};
}

std::string Percentiles(LoadResult& result) {
  return fmt::format("p50 {:.0f} p99 {:.0f} p99.9 {:.0f} us", result.latency.PercentileUs(50),
                     result.latency.PercentileUs(99), result.latency.PercentileUs(99.9));
}

}  // namespace sluice::tools
