// Names and numbers of streams and shards.
#include "broker/api/kinesis/stream_text.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "broker/api/kinesis/shard_metrics.h"
#include "broker/api/kinesis/stream_argument.h"
#include "protocol/check.h"

namespace sluice::broker::kinesis {

// By hand, as each record of an answer to PutRecords has one.
std::string ShardName(ShardIndex shard) {
  std::string name = "shardId-000000000000";
  std::array<char, 10> digits;  // of 32 bits
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), shard.value);
  std::copy(digits.data(), written.ptr, name.end() - (written.ptr - digits.data()));
  return name;
}

std::optional<ShardIndex> ParseShardName(std::string_view text) {
  std::string_view digits = text;
  if (const std::size_t dash = text.find('-'); dash != text.npos) digits = text.substr(dash + 1);
  digits = digits.substr(0, digits.find('-'));
  if (digits.empty()) digits = text;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number > INT32_MAX) return std::nullopt;
  return ShardIndex(static_cast<std::uint32_t>(number));
}

protocol::SequenceDigits RecordNumber(const ShardInfo& shard, Offset offset, std::int64_t append_time_ms) {
  return protocol::DigitsOf({.shard_created_s = shard.created_ms / 1000,
                             .shard = shard.shard,
                             .offset = offset,
                             .record_time_s = std::max<std::int64_t>(append_time_ms, 0) / 1000});
}

std::string RecordNumber(const StreamInfo& stream, ShardIndex shard, Offset offset, std::int64_t append_time_ms) {
  const ShardInfo* const info = stream.FindShard(shard);
  SLUICE_CHECK(info != nullptr);
  return std::string(RecordNumber(*info, offset, append_time_ms));
}

std::string PlaceNumber(const StreamInfo& stream, ShardIndex shard, Offset next) {
  return RecordNumber(stream, shard, next, 0);
}

std::string StartingNumber(const StreamInfo& stream, ShardIndex shard) { return PlaceNumber(stream, shard, Offset(0)); }

std::string EndingNumber(const ShardInfo& shard) {
  return std::string(RecordNumber(shard, kMaxOffset, shard.closed_ms));
}

std::int64_t CreatedSeconds(const StreamInfo& stream) { return stream.created_ms / 1000; }

std::int64_t RetentionHours(const StreamInfo& stream) {
  if (!stream.retention.age_ms) return kRetentionHoursMax;
  return std::clamp(*stream.retention.age_ms / kHourMs, kRetentionHoursMin, kRetentionHoursMax);
}

std::span<const ShardInfo> ShardsAfter(const StreamInfo& stream, std::optional<ShardIndex> after) {
  if (!after) return stream.all_shards;
  return {std::ranges::upper_bound(stream.all_shards, *after, {}, &ShardInfo::shard), stream.all_shards.end()};
}

void WriteHashKeyRange(protocol::aws::Writer& writer, const ShardInfo& shard) {
  writer.Name("HashKeyRange").BeginMap();
  writer.Name("StartingHashKey").Text(protocol::ToDecimal(shard.first));
  writer.Name("EndingHashKey").Text(protocol::ToDecimal(shard.last));
  writer.EndMap();
}

void WriteShard(protocol::aws::Writer& writer, const ShardInfo& shard) {
  writer.BeginMap();
  writer.Name("ShardId").Text(ShardName(shard.shard));
  if (shard.parent) writer.Name("ParentShardId").Text(ShardName(*shard.parent));
  if (shard.adjacent_parent) writer.Name("AdjacentParentShardId").Text(ShardName(*shard.adjacent_parent));
  WriteHashKeyRange(writer, shard);
  writer.Name("SequenceNumberRange").BeginMap();
  writer.Name("StartingSequenceNumber").Text(RecordNumber(shard, Offset(0), 0));
  if (shard.closed()) writer.Name("EndingSequenceNumber").Text(EndingNumber(shard));
  writer.EndMap();
  writer.EndMap();
}

void WriteIdentity(protocol::aws::Writer& writer, const StreamInfo& stream, StreamState state,
                   const aws::Caller& caller) {
  writer.Name("StreamName").Text(stream.name);
  writer.Name("StreamARN").Text(StreamArn(stream.name, caller));
  writer.Name("StreamStatus").Text(NameOf(state));
  writer.Name("StreamModeDetails").BeginMap();
  writer.Name("StreamMode").Text(stream.kinesis.on_demand ? "ON_DEMAND" : "PROVISIONED");
  writer.EndMap();
  writer.Name("StreamCreationTimestamp").Timestamp(CreatedSeconds(stream) * 1000);
}

void WriteSettings(protocol::aws::Writer& writer, const StreamInfo& stream) {
  writer.Name("RetentionPeriodHours").Integer(RetentionHours(stream));
  writer.Name("EnhancedMonitoring").BeginList();
  writer.BeginMap();
  WriteShardMetrics(writer.Name("ShardLevelMetrics"), stream.kinesis.shard_metrics);
  writer.EndMap();
  writer.EndList();
  const EncryptionSettings& encryption = stream.encryption;
  writer.Name("EncryptionType").Text(encryption.on ? "KMS" : "NONE");
  if (!encryption.on) return;
  writer.Name("KeyId").Text(encryption.key_id.empty() ? encryption.data_keys.back().master_key : encryption.key_id);
}

}  // namespace sluice::broker::kinesis
