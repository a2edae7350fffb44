// Drives a request/answer server over loopback: many connections, some requests deep each, from one thread, prebuilt
// bytes.
//
// Closed loop: each answer sends the next request. Open loop: requests have fixed arrival times, and their latency
// counts from the time they were due, so that a stalled server cannot hide its stall (coordinated omission). Threads:
// Run blocks the calling thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sluice/status.h"
#include "tools/bench/histogram.h"
#include "tools/bench/loopback_socket.h"

namespace sluice::tools {

struct LoadOptions {
  std::uint16_t port = 0;
  std::size_t connections = 1;
  std::size_t depth = 1;  // requests in flight per connection
  double seconds = 3;     // measured, after the warm-up
  double warm_up_seconds = 0.5;
  double requests_per_second = 0;     // 0: closed loop
  std::string greeting;               // sent first; one answer to it is awaited
  std::vector<std::string> requests;  // connection i sends requests[i % size] again and again
  AnswerSizer answer_size;            // its error ends the run
};

struct LoadResult {
  std::uint64_t requests = 0;
  double seconds = 0;
  std::uint64_t answer_bytes = 0;
  Histogram latency;

  double requests_per_second() const { return seconds > 0 ? static_cast<double>(requests) / seconds : 0; }
};

Result<LoadResult> RunLoad(const LoadOptions& options);

}  // namespace sluice::tools
