// Dead letters, as intents and ledger entries have them: where the error records of a delivery are in its dead-letter
// stream. JSON as docs/delivery.md says.
//
// Values only; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/delivery/state_reader.h"
#include "protocol/ids.h"
#include "protocol/json_writer.h"

namespace sluice::delivery {

/// In an intent: dead letters of this delivery are in this shard at `from` or behind it, and nowhere else.
struct DeadLetterMark {
  ShardId shard;
  Offset from;
  friend bool operator==(const DeadLetterMark&, const DeadLetterMark&) = default;
};

/// In a ledger entry: offsets of a dead-letter stream that hold nothing but dead letters of the delivery.
struct DeadLetters {
  std::string stream;  // its name then
  ShardId shard;       // of that very stream
  Offset first;
  Offset last;
  std::uint64_t records() const { return last - first + 1; }
  friend bool operator==(const DeadLetters&, const DeadLetters&) = default;
};

std::uint64_t CountDeadLetters(const std::vector<DeadLetters>& letters);

/// "stream_id":.., "shard":..
void WriteShardId(ShardId shard, protocol::JsonWriter& json);
ShardId ReadShardId(StateReader& reader);

/// "dead_letters":[..]; nothing where there are none.
void WriteDeadLetterMarks(const std::vector<DeadLetterMark>& marks, protocol::JsonWriter& json);
void WriteDeadLetters(const std::vector<DeadLetters>& letters, protocol::JsonWriter& json);
/// Read what these wrote; mistakes are the reader's.
std::vector<DeadLetterMark> ReadDeadLetterMarks(StateReader& reader);
std::vector<DeadLetters> ReadDeadLetters(StateReader& reader);

}  // namespace sluice::delivery
