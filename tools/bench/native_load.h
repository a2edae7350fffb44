// Prebuilt messages of the native protocol for the load generator. Values only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/status.h"
#include "sluice/types.h"

namespace sluice::tools {

/// JSON log lines of `bytes` each, deterministic, with the redundancy of real ones.
std::string JsonLine(std::uint64_t seed, std::size_t bytes);

std::string HelloMessage();
/// One append of `records` records of `record_bytes` to a shard, as one batch.
std::string AppendMessageFor(std::uint32_t stream_id, std::uint32_t shard, std::size_t records,
                             std::size_t record_bytes, Ack ack);
std::string ReadMessageFor(std::uint32_t stream_id, std::uint32_t shard, std::uint64_t offset, std::uint64_t bytes_max,
                           std::uint32_t wait_ms);
/// Size of the answer at the start of `bytes`, 0 where its header is not complete; the broker's error where it refused.
Result<std::size_t> AnswerSize(std::string_view bytes);

}  // namespace sluice::tools
