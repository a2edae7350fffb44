// Sequence numbers that clients name. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker/stream_catalog.h"
#include "protocol/sequence_number.h"

namespace sluice::broker::kinesis {

/// A number below 2^124 as AWS reads it: of its oldest layout, 2^124 added. nullopt for larger ones.
std::optional<std::string> AsOldestLayout(std::string_view decimal);

/// The shard of this stream in which the number stands for a place: its start, a record's, or its end; nullptr where
/// that is none.
const ShardInfo* ShardOf(const protocol::SequenceNumber& number, const StreamInfo& stream);

/// Where a number points in its shard, whose log ends at `end`.
struct NumberPlace {
  Offset at;
  Offset after;
};
/// nullopt where the shard has not come so far.
std::optional<NumberPlace> PlaceOf(const protocol::SequenceNumber& number, const ShardInfo& shard, Offset end);

}  // namespace sluice::broker::kinesis
