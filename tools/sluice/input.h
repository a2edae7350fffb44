// Reads logical lines from files or standard input with bounded memory. Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"
#include "tools/sluice/record_parser.h"

namespace sluice::tools {

/// The longest line that is read; a longer one is an error that names it.
inline constexpr std::size_t kLineBytesMax = 16u << 20;

struct InputLine {
  std::string_view text;
  std::string_view file;  // "-" for standard input
  std::uint64_t number = 0;
  std::uint64_t bytes_read = 0;  // of all files so far
};

/// Calls `take` for each logical line of each file in turn (none: standard input) until it returns false, or until a
/// signal interrupts the reading (interrupt.h).
Status ForEachLine(const std::vector<std::string>& files, RecordParser& parser,
                   const std::function<bool(const InputLine&)>& take);

/// Sum of the sizes of regular files; 0 where one of them has no size (a pipe).
std::uint64_t TotalBytes(const std::vector<std::string>& files);

}  // namespace sluice::tools
