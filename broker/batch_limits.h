// The check of a batch that arrives: what protocol::VerifyBatch says, the configured limits, and that its records can be
// read, compressed ones too: a batch that no reader can take apart would stop every consumer and every delivery stream at its place.
// Values only; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/batch.h"
#include "sluice/status.h"

namespace sluice::broker {

/// kInvalidArgument for a limit, with what it is; kCorruption for bytes that are no batch, fail their checksum or hold
/// records that cannot be read. `scratch` takes what is decompressed; little of it is kept.
Result<protocol::BatchHeader> CheckBatch(std::string_view batch, std::uint64_t batch_bytes_max,
                                         std::uint64_t record_bytes_max, std::string& scratch);

}  // namespace sluice::broker
