// Ours and the bare ingest server in turn, so that both meet the same machine; the medians of both. Threads: blocks the
// caller.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sluice/status.h"
#include "tools/bench/load_generator.h"

namespace sluice::tools {

/// What a workload measures in each round.
struct Turns {
  int rounds = 1;
  bool open_loop = false;  // p99 tells the better of two results, not how many requests there were
  std::function<Result<LoadResult>()> ours;
  std::function<Result<LoadResult>(bool commit_thread)> bound;
};

struct Measured {
  LoadResult ours;
  LoadResult bound;  // the better of the two: with a commit thread and without
};

Result<Measured> TakeTurns(const Turns& turns);

/// The one in the middle, by requests or, with `open_loop`, by p99. `results` must not be empty; they are used up.
LoadResult Median(std::vector<LoadResult>& results, bool open_loop);

/// "p50 98 p99 149 p99.9 310 us"
std::string Percentiles(LoadResult& result);

}  // namespace sluice::tools
