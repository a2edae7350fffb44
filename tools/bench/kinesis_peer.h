// The loads of kinesis-put, kinesis-put-record and kinesis-get on any Kinesis server that runs at a port of the
// loopback, ours or another one. Threads: the main thread.
#pragma once

#include <cstdint>
#include <vector>

#include "sluice/status.h"
#include "tools/bench/bench.h"

namespace sluice::tools {

/// Makes the streams "bench" and "bench-get" on the server and leaves them there. Figures without bound, goal and
/// floor: what they stand beside is the same command at another server.
Result<std::vector<Figure>> BenchKinesisPeer(const BenchOptions& options);

}  // namespace sluice::tools
