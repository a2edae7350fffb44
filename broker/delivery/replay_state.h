// Which error records a replay delivers again, as intents and ledger entries have it. JSON as docs/delivery.md says.
//
// Values only; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/delivery/line_ranges.h"
#include "broker/delivery/state_reader.h"
#include "protocol/ids.h"
#include "protocol/json_writer.h"

namespace sluice::delivery {

/// Error records of one place: lines of an error object, by their numbers from 0, or records of one shard of a
/// dead-letter stream, by their offsets.
struct ReplayedLines {
  std::string key;             // of the object; else the stream's name then
  std::uint64_t bytes = 0;     // of all of the object
  std::uint64_t checksum = 0;  // XXH3-64, of the object
  LineRanges lines = {};
  std::optional<ShardId> shard = {};  // set: of a dead-letter stream
  std::string bucket = {};            // of the object; empty where an older version wrote it
  friend bool operator==(const ReplayedLines&, const ReplayedLines&) = default;
};

/// What the numbers of lines belong to: an object, or a shard.
using LinePlace = std::pair<std::optional<ShardId>, std::string_view>;
inline LinePlace PlaceOf(const ReplayedLines& lines) {
  return {lines.shard, lines.shard ? std::string_view() : std::string_view(lines.key)};
}

std::uint64_t CountLines(const std::vector<ReplayedLines>& replays);
/// True where there are some of dead letters, which versions before could not replay and do not read.
bool HasDeadLetters(const std::vector<ReplayedLines>& replays);

/// "replays":[..]; nothing where there are none.
void WriteReplays(const std::vector<ReplayedLines>& replays, protocol::JsonWriter& json);
/// Reads what WriteReplays wrote; mistakes are the reader's.
std::vector<ReplayedLines> ReadReplays(StateReader& reader);

}  // namespace sluice::delivery
