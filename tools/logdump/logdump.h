// Reads a journal file or a segment without the store that wrote it, for people and tests. Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "protocol/frame.h"
#include "sluice/status.h"

namespace sluice::tools {

struct DumpedFrame {
  std::uint64_t position = 0;  // in the file
  protocol::FrameHeader header;
  std::optional<std::uint32_t> data_key;  // of a sealed batch: the number of the key that opens it
  Status status;                          // of the checksum
};

struct DumpSummary {
  std::string kind;  // "segment" or "journal file"
  std::uint64_t frames = 0;
  std::uint64_t records = 0;
  std::uint64_t damaged = 0;
};

/// Calls `take` for each frame in file order. kNotFound, kCorruption (neither a journal file nor a segment), kIoError.
Result<DumpSummary> DumpLogFile(const std::string& path, const std::function<void(const DumpedFrame&)>& take);

}  // namespace sluice::tools
