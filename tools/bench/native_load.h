// Prebuilt messages of the native protocol for the load generator, and the loads made of them. Values only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/status.h"
#include "sluice/types.h"
#include "tools/bench/broker_process.h"
#include "tools/bench/load_generator.h"

namespace sluice::tools {

inline constexpr std::size_t kRecordBytes = 1024;  // the records of all workloads

std::string HelloMessage();
/// One append of `records` records of `record_bytes` to a shard, as one batch; `seed` decides what they say.
std::string AppendMessageFor(std::uint32_t stream_id, std::uint32_t shard, std::size_t records,
                             std::size_t record_bytes = kRecordBytes, Ack ack = Ack::kDurable, std::uint64_t seed = 0);
std::string ReadMessageFor(std::uint32_t stream_id, std::uint32_t shard, std::uint64_t offset, std::uint64_t bytes_max,
                           std::uint32_t wait_ms);
/// Size of the answer at the start of `bytes`, 0 where its header is not complete; the broker's error where it refused.
Result<std::size_t> AnswerSize(std::string_view bytes);

/// A load on the native port without requests yet.
LoadOptions NativeLoad(std::uint16_t port);
/// Appends of `records` records each to the first `shards` shards in turn, one connection a shard.
LoadOptions AppendLoad(std::uint16_t port, std::uint32_t stream_id, std::uint32_t shards, std::size_t records,
                       Ack ack = Ack::kDurable);

/// Brings a new broker to where it is from its first GiBs on: journal files and segments are used again, as the bound's
/// file is. It is at rest then, as the bare server is.
Status WarmUp(const BrokerProcess& broker, std::uint32_t stream_id, std::uint32_t shards);

}  // namespace sluice::tools
