// The bound of hot reads: a server that sends one prebuilt answer from memory for each request of a known length. In a
// process of its own, one blocking thread a connection. Threads: one.
#pragma once

#include <memory>
#include <string>

#include "sluice/status.h"
#include "tools/bench/bound_process.h"

namespace sluice::tools {

/// Each request over HTTP/1.1 is answered with `answer`.
Result<std::unique_ptr<BoundProcess>> StartAnswerBound(const std::string& answer);

}  // namespace sluice::tools
