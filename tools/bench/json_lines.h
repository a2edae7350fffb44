// JSON log lines with the redundancy of real logs, the same on every run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice::tools {

/// One JSON object of about `bytes` bytes, without a line break; `seed` decides what it says.
std::string JsonLine(std::uint64_t seed, std::size_t bytes);

}  // namespace sluice::tools
