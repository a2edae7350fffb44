// Single calls of Kinesis' API that a measurement needs before it begins, to any server at a port of the loopback.
// Threads: one; blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/status.h"

namespace sluice::tools {

/// Makes a stream and waits until it is active.
Status CreateKinesisStream(std::uint16_t port, std::string_view stream, std::uint32_t shards);

/// Registers a consumer of the stream; its ARN.
Result<std::string> RegisterConsumer(std::uint16_t port, std::string_view stream, std::string_view consumer);

/// Puts `requests` times `records` records of kRecordBytes.
Status FillKinesisStream(std::uint16_t port, std::string_view stream, std::size_t records, std::uint64_t requests);

/// The request that reads up to `limit` records of a stream's first shard from its start, as often as it is sent.
Result<std::string> GetRecordsRequest(std::uint16_t port, std::string_view stream, std::size_t limit);

/// How many records an answer to GetRecords holds.
std::size_t CountRecords(std::string_view answer);

}  // namespace sluice::tools
