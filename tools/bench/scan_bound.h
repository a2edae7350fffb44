// The bound of replay: a cold file is read once, past the page cache, and each KiB of it gets its checksum; the next
// piece is read meanwhile. Nothing is kept. Threads: blocks the caller.
#pragma once

#include <string>

#include "sluice/status.h"

namespace sluice::tools {

/// Seconds per GiB.
Result<double> MeasureScanBound(const std::string& dir);

}  // namespace sluice::tools
