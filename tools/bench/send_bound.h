// The bound of reading: how fast bytes go from memory, or from a cold file, through a loopback socket. Threads: blocks
// the caller.
#pragma once

#include <cstdint>
#include <string>

#include "sluice/status.h"

namespace sluice::tools {

struct SendBoundOptions {
  double seconds = 3;
  std::string dir{};             // with file_bytes: where the file is made
  std::uint64_t file_bytes = 0;  // 0: from memory; else a file of this size is read cold, once
};

/// MB/s at the receiver.
Result<double> MeasureSendBound(const SendBoundOptions& options);

}  // namespace sluice::tools
