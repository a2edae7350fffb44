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

/// Whether the number stands for a place in a shard of this stream: its start, or a record's.
bool IsOfStream(const protocol::SequenceNumber& number, const StreamInfo& stream);
/// The first record behind a number of a shard.
Offset OffsetAfter(const protocol::SequenceNumber& number);

}  // namespace sluice::broker::kinesis
