// The check of a batch that arrives: what protocol::VerifyBatch says, the configured limits, and that an uncompressed
// batch holds the records that its header counts. Compressed batches are stored as they are; their records are checked
// by who reads them. Values only; thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/batch.h"
#include "sluice/status.h"

namespace sluice::broker {

/// kInvalidArgument for a limit, with what it is; kCorruption for bytes that are no batch or fail their checksum.
Result<protocol::BatchHeader> CheckBatch(std::string_view batch, std::uint64_t batch_bytes_max,
                                         std::uint64_t record_bytes_max);

}  // namespace sluice::broker
