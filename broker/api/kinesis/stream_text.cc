// Names and numbers of streams and shards.
#include "broker/api/kinesis/stream_text.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "broker/api/kinesis/shard_metrics.h"
#include "broker/api/kinesis/stream_argument.h"

namespace sluice::broker::kinesis {

using protocol::ShardRange;

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

std::string RecordNumber(const StreamInfo& stream, ShardIndex shard, Offset offset, std::int64_t append_time_ms) {
  return protocol::ToDecimal({.shard_created_s = CreatedSeconds(stream),
                              .shard = shard,
                              .offset = offset,
                              .record_time_s = std::max<std::int64_t>(append_time_ms, 0) / 1000});
}

std::string StartingNumber(const StreamInfo& stream, ShardIndex shard) {
  return RecordNumber(stream, shard, Offset(0), 0);
}

std::int64_t CreatedSeconds(const StreamInfo& stream) { return stream.created_ms / 1000; }

std::int64_t RetentionHours(const StreamInfo& stream) {
  if (!stream.retention.age_ms) return kRetentionHoursMax;
  return std::clamp(*stream.retention.age_ms / kHourMs, kRetentionHoursMin, kRetentionHoursMax);
}

std::vector<ShardRange> ShardsAfter(const StreamInfo& stream, std::optional<ShardIndex> after) {
  std::vector<ShardRange> shards = stream.shards.ranges();
  if (after) std::erase_if(shards, [&](const ShardRange& shard) { return shard.shard <= *after; });
  std::ranges::sort(shards, {}, &ShardRange::shard);
  return shards;
}

void WriteShard(protocol::aws::Writer& writer, const StreamInfo& stream, const ShardRange& shard) {
  writer.BeginMap();
  writer.Name("ShardId").Text(ShardName(shard.shard));
  writer.Name("HashKeyRange").BeginMap();
  writer.Name("StartingHashKey").Text(protocol::ToDecimal(shard.first));
  writer.Name("EndingHashKey").Text(protocol::ToDecimal(shard.last));
  writer.EndMap();
  writer.Name("SequenceNumberRange").BeginMap();
  writer.Name("StartingSequenceNumber").Text(StartingNumber(stream, shard.shard));
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
  writer.Name("EncryptionType").Text("NONE");
}

}  // namespace sluice::broker::kinesis
