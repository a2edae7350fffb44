// Which error records a replay delivers again, as intents and ledger entries have it. JSON as docs/delivery.md says.
//
// Values only; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/delivery/line_ranges.h"
#include "broker/delivery/state_reader.h"
#include "protocol/json_writer.h"

namespace sluice::delivery {

/// Lines of one error object, which has so many bytes.
struct ReplayedLines {
  std::string key;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;  // XXH3-64
  LineRanges lines = {};
  friend bool operator==(const ReplayedLines&, const ReplayedLines&) = default;
};

std::uint64_t CountLines(const std::vector<ReplayedLines>& replays);

/// "replays":[..]; nothing where there are none.
void WriteReplays(const std::vector<ReplayedLines>& replays, protocol::JsonWriter& json);
/// Reads what WriteReplays wrote; mistakes are the reader's.
std::vector<ReplayedLines> ReadReplays(StateReader& reader);

}  // namespace sluice::delivery
