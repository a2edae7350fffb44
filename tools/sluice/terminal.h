// What the terminal behind a file descriptor is like. Threads: any.
#pragma once

#include <cstddef>

namespace sluice::tools {

/// Width in characters; `otherwise` where the descriptor is no terminal or the terminal does not say.
std::size_t TerminalColumns(int descriptor, std::size_t otherwise);

}  // namespace sluice::tools
