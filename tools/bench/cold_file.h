// A file that only the disk has: written, flushed, and dropped from the page cache. Threads: any.
#pragma once

#include <cstdint>
#include <string>

#include "sluice/status.h"

namespace sluice::tools {

/// An open descriptor, to be closed by the caller; the name is gone already.
Result<int> MakeColdFile(const std::string& dir, std::uint64_t bytes);

}  // namespace sluice::tools
