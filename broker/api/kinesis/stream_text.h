// How streams and shards are written in answers: names, numbers, hours. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "broker/api/aws/operation.h"
#include "broker/api/kinesis/stream_lifecycle.h"
#include "broker/stream_catalog.h"
#include "protocol/aws/writer.h"
#include "protocol/hash_key.h"
#include "protocol/ids.h"
#include "protocol/sequence_number.h"

namespace sluice::broker::kinesis {

/// "shardId-000000000003".
std::string ShardName(ShardIndex shard);
/// As AWS reads them: what stands behind the first '-', or all of it, is a number: "shardId-0", "x-0" and "0" are shard
/// 0. nullopt for anything else, and from 2^31.
std::optional<ShardIndex> ParseShardName(std::string_view text);

/// A record's sequence number. The stream has the shard.
std::string RecordNumber(const StreamInfo& stream, ShardIndex shard, Offset offset, std::int64_t append_time_ms);
/// The number of the place before a record, whether it is there or not: above all records before it and below its own.
/// Reading at it and after it are the same.
std::string PlaceNumber(const StreamInfo& stream, ShardIndex shard, Offset next);
/// The number that a shard begins with: offset 0 and record time 0, so that it is below its first record's.
std::string StartingNumber(const StreamInfo& stream, ShardIndex shard);
/// The same.
protocol::SequenceDigits RecordNumber(const ShardInfo& shard, Offset offset, std::int64_t append_time_ms);
/// The number that a closed shard ends with, above its last record's.
std::string EndingNumber(const ShardInfo& shard);

/// When the stream was created, in seconds since 1970.
std::int64_t CreatedSeconds(const StreamInfo& stream);

/// Whole hours, 24 to 8,760; more is told as 8,760, for ever too.
std::int64_t RetentionHours(const StreamInfo& stream);
inline constexpr std::int64_t kRetentionHoursMin = 24;
inline constexpr std::int64_t kRetentionHoursMax = 8'760;
inline constexpr std::int64_t kHourMs = 3'600'000;

/// The shards, open and closed, in the order of their numbers, from the first one above `after`. Good as long as the
/// stream's value.
std::span<const ShardInfo> ShardsAfter(const StreamInfo& stream, std::optional<ShardIndex> after);

/// One element of Shards.
void WriteShard(protocol::aws::Writer& writer, const ShardInfo& shard);
/// The member HashKeyRange.
void WriteHashKeyRange(protocol::aws::Writer& writer, const ShardInfo& shard);
/// The members that descriptions and summaries of a stream share: name, ARN, status, mode, creation time.
void WriteIdentity(protocol::aws::Writer& writer, const StreamInfo& stream, StreamState state,
                   const aws::Caller& caller);
/// And those of both kinds of description: retention, monitoring, encryption.
void WriteSettings(protocol::aws::Writer& writer, const StreamInfo& stream);

}  // namespace sluice::broker::kinesis
