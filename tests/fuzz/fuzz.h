// What every fuzz target shares: the input as a view, and a check that ends the run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/check.h"

/// libFuzzer calls this with each input. A target that returns -1 says "not worth keeping".
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace sluice::fuzz {

inline std::string_view Input(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace sluice::fuzz
