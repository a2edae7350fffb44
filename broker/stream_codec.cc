// Streams and producers as Protobuf messages.
#include "broker/stream_codec.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "broker/stored.pb.h"
#include "protocol/check.h"

namespace sluice::broker {
namespace {

constexpr std::uint32_t kFormat = 1;
constexpr std::uint32_t kFormatResharded = 2;  // of a stream with all_shards, of which older versions know nothing
constexpr std::uint32_t kFormatEncrypted = 3;  // of a stream with data_keys, which older versions would lose

Status CheckFormat(std::uint32_t format, std::uint32_t newest) {
  if (format >= kFormat && format <= newest) return {};
  if (format == 0) return Status(Code::kCorruption, "the stored value has no format number");
  return Status(Code::kUnimplemented, "the stored value has format " + std::to_string(format) +
                                          ", this version knows " + std::to_string(newest) +
                                          "; start the version that wrote it");
}

void PutRange(const protocol::ShardRange& range, stored::Range& out) {
  out.set_shard(range.shard.value);
  out.set_first_high(range.first.high);
  out.set_first_low(range.first.low);
  out.set_last_high(range.last.high);
  out.set_last_low(range.last.low);
}

protocol::ShardRange GetRange(const stored::Range& range) {
  return {ShardIndex(range.shard()), {range.first_high(), range.first_low()}, {range.last_high(), range.last_low()}};
}

/// Left out while the shards are as they were created, so that older versions' streams have the same bytes.
void PutAllShards(const StreamInfo& stream, stored::Stream& message) {
  const bool resharded = stream.next_shard.value != stream.shards.ranges().size();
  if (!resharded) return;
  for (const ShardInfo& shard : stream.all_shards) {
    stored::Shard& out = *message.add_all_shards();
    PutRange(shard.range(), *out.mutable_range());
    out.set_created_ms(shard.created_ms);
    if (shard.parent) out.set_parent(shard.parent->value);
    if (shard.adjacent_parent) out.set_adjacent_parent(shard.adjacent_parent->value);
    if (shard.end) out.set_end(shard.end->value);
    out.set_closed_ms(shard.closed_ms);
  }
  message.set_format(kFormatResharded);
  message.set_next_shard(stream.next_shard.value);
  if (stream.records_forgotten > 0) message.set_records_forgotten(stream.records_forgotten);
}

ShardInfo GetShard(const stored::Shard& shard) {
  const protocol::ShardRange range = GetRange(shard.range());
  ShardInfo info = NewShard(range, shard.created_ms());
  if (shard.has_parent()) info.parent = ShardIndex(shard.parent());
  if (shard.has_adjacent_parent()) info.adjacent_parent = ShardIndex(shard.adjacent_parent());
  if (shard.has_end()) info.end = Offset(shard.end());
  info.closed_ms = shard.closed_ms();
  return info;
}

/// Whether the open ones among all shards are those that own the hash keys, and their numbers make sense.
bool Agree(const StreamInfo& stream) {
  std::vector<protocol::ShardRange> open;
  for (const ShardInfo& shard : stream.all_shards) {
    if (!shard.closed()) open.push_back(shard.range());
  }
  std::vector<protocol::ShardRange> owners = stream.shards.ranges();
  std::ranges::sort(owners, {}, &protocol::ShardRange::shard);
  const bool ascending = std::ranges::adjacent_find(stream.all_shards, std::ranges::greater_equal(),
                                                    &ShardInfo::shard) == stream.all_shards.end();
  return ascending && open == owners && stream.all_shards.back().shard < stream.next_shard;
}

Status GetAllShards(const stored::Stream& message, StreamInfo& stream) {
  if (message.all_shards().empty()) {
    stream.all_shards = NewShards(stream.shards, stream.created_ms);
    stream.next_shard = ShardIndex(stream.all_shards.back().shard.value + 1);
  } else {
    for (const stored::Shard& shard : message.all_shards()) stream.all_shards.push_back(GetShard(shard));
    stream.next_shard = ShardIndex(message.next_shard());
    stream.records_forgotten = message.records_forgotten();
  }
  if (Agree(stream)) return {};
  return Status(Code::kCorruption, "the stored stream's open shards are not those among all of its shards");
}

void AddConsumer(stored::Stream& message, const std::string& name, const StreamConsumer& consumer) {
  stored::Consumer& out = *message.add_kinesis_consumers();
  out.set_name(name);
  out.set_created_ms(consumer.created_ms);
  for (const auto& [key, value] : consumer.tags) {
    stored::Tag& tag = *out.add_tags();
    tag.set_key(key);
    tag.set_value(value);
  }
  out.set_policy(consumer.policy);
}

StreamConsumer ReadConsumer(const stored::Consumer& stored) {
  StreamConsumer consumer{.created_ms = stored.created_ms(), .tags = {}, .policy = stored.policy()};
  for (const stored::Tag& tag : stored.tags()) consumer.tags[tag.key()] = tag.value();
  return consumer;
}

void GetTimes(const google::protobuf::RepeatedField<std::int64_t>& stored, std::vector<std::int64_t>& times_ms) {
  times_ms.assign(stored.begin(), stored.end());
}

void PutEncryption(const EncryptionSettings& encryption, stored::Stream& message) {
  message.set_encrypted(encryption.on);
  message.set_encryption_key_id(encryption.key_id);
  if (!encryption.data_keys.empty()) message.set_format(kFormatEncrypted);
  for (const WrappedKey& key : encryption.data_keys) {
    stored::DataKey& out = *message.add_data_keys();
    out.set_number(key.number);
    out.set_master_key(key.master_key);
    out.set_wrapped(key.wrapped);
    out.set_created_ms(key.created_ms);
  }
}

Status GetEncryption(const stored::Stream& message, EncryptionSettings& encryption) {
  encryption.on = message.encrypted();
  encryption.key_id = message.encryption_key_id();
  for (const stored::DataKey& key : message.data_keys()) {
    if (key.number() <= (encryption.data_keys.empty() ? 0 : encryption.data_keys.back().number)) {
      return Status(Code::kCorruption, "the stored stream's data keys are not in the order of their numbers");
    }
    encryption.data_keys.push_back({.number = key.number(),
                                    .master_key = key.master_key(),
                                    .wrapped = key.wrapped(),
                                    .created_ms = key.created_ms()});
  }
  if (!encryption.on || !encryption.data_keys.empty()) return {};
  return Status(Code::kCorruption, "the stored stream is encrypted and has no data key");
}

}  // namespace

std::string EncodeStream(const StreamInfo& stream) {
  SLUICE_CHECK(stream.id.value != 0);
  SLUICE_CHECK(!stream.shards.ranges().empty());
  stored::Stream message;
  message.set_format(kFormat);
  message.set_id(stream.id.value);
  message.set_name(stream.name);
  message.set_created_ms(stream.created_ms);
  message.set_hidden(stream.hidden);
  if (stream.retention.age_ms) message.set_retention_age_ms(*stream.retention.age_ms);
  if (stream.retention.bytes) message.set_retention_bytes(*stream.retention.bytes);
  for (const protocol::ShardRange& range : stream.shards.ranges()) PutRange(range, *message.add_shards());
  PutAllShards(stream, message);
  for (const auto& [key, value] : stream.kinesis.tags) {
    stored::Tag& out = *message.add_tags();
    out.set_key(key);
    out.set_value(value);
  }
  message.set_on_demand(stream.kinesis.on_demand);
  if (stream.kinesis.record_kib_max != KinesisSettings().record_kib_max) {
    message.set_kinesis_record_kib_max(stream.kinesis.record_kib_max);
  }
  message.set_kinesis_warm_mibps(stream.kinesis.warm_mibps);
  message.set_kinesis_auto_distribution(stream.kinesis.auto_distribution);
  message.set_kinesis_policy(stream.kinesis.policy);
  message.set_kinesis_shard_metrics(stream.kinesis.shard_metrics);
  for (const auto& [name, consumer] : stream.kinesis.consumers) AddConsumer(message, name, consumer);
  for (const std::int64_t ms : stream.kinesis.encryption_starts_ms) message.add_kinesis_encryption_starts_ms(ms);
  for (const std::int64_t ms : stream.kinesis.encryption_stops_ms) message.add_kinesis_encryption_stops_ms(ms);
  for (const std::int64_t ms : stream.kinesis.resizes_ms) message.add_kinesis_resizes_ms(ms);
  for (const std::int64_t ms : stream.kinesis.mode_switches_ms) message.add_kinesis_mode_switches_ms(ms);
  PutEncryption(stream.encryption, message);
  return message.SerializeAsString();
}

Result<StreamInfo> DecodeStream(std::string_view bytes) {
  stored::Stream message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error(Code::kCorruption, "the stored stream does not parse");
  }
  if (Status status = CheckFormat(message.format(), kFormatEncrypted); !status.ok()) return Error(status);
  if (message.id() == 0) return Error(Code::kCorruption, "the stored stream has no id");
  StreamInfo stream{.id = StreamId(message.id()),
                    .name = message.name(),
                    .created_ms = message.created_ms(),
                    .hidden = message.hidden(),
                    .retention = {},
                    .kinesis = {},
                    .shards = {},
                    .all_shards = {},
                    .next_shard = {}};
  if (Status status = ValidateStreamName(stream.name, stream.hidden); !status.ok())
    return Error(Code::kCorruption, status.message());
  if (message.has_retention_age_ms()) stream.retention.age_ms = message.retention_age_ms();
  if (message.has_retention_bytes()) stream.retention.bytes = message.retention_bytes();
  for (const stored::Tag& tag : message.tags()) stream.kinesis.tags[tag.key()] = tag.value();
  stream.kinesis.on_demand = message.on_demand();
  if (message.has_kinesis_record_kib_max()) stream.kinesis.record_kib_max = message.kinesis_record_kib_max();
  stream.kinesis.warm_mibps = message.kinesis_warm_mibps();
  stream.kinesis.auto_distribution = message.kinesis_auto_distribution();
  stream.kinesis.policy = message.kinesis_policy();
  stream.kinesis.shard_metrics = message.kinesis_shard_metrics();
  for (const stored::Consumer& consumer : message.kinesis_consumers()) {
    stream.kinesis.consumers[consumer.name()] = ReadConsumer(consumer);
  }
  GetTimes(message.kinesis_encryption_starts_ms(), stream.kinesis.encryption_starts_ms);
  GetTimes(message.kinesis_encryption_stops_ms(), stream.kinesis.encryption_stops_ms);
  GetTimes(message.kinesis_resizes_ms(), stream.kinesis.resizes_ms);
  GetTimes(message.kinesis_mode_switches_ms(), stream.kinesis.mode_switches_ms);
  std::vector<protocol::ShardRange> ranges;
  for (const stored::Range& range : message.shards()) ranges.push_back(GetRange(range));
  auto shards = protocol::ShardMap::FromRanges(std::move(ranges));
  if (!shards) return Error(Code::kCorruption, "the stored stream's shards: " + shards.error().message());
  stream.shards = std::move(*shards);
  if (Status status = GetAllShards(message, stream); !status.ok()) return Error(std::move(status));
  if (Status status = GetEncryption(message, stream.encryption); !status.ok()) return Error(std::move(status));
  return stream;
}

std::string EncodeProducer(const StreamCatalog::ProducerGrant& grant) {
  SLUICE_CHECK(grant.id.value >= 0);
  stored::Producer message;
  message.set_format(kFormat);
  message.set_id(grant.id.value);
  message.set_epoch(grant.epoch);
  return message.SerializeAsString();
}

Result<StreamCatalog::ProducerGrant> DecodeProducer(std::string_view bytes) {
  stored::Producer message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error(Code::kCorruption, "the stored producer does not parse");
  }
  if (Status status = CheckFormat(message.format(), kFormat); !status.ok()) return Error(status);
  if (message.id() < 0 || message.epoch() < 0 || message.epoch() > INT16_MAX) {
    return Error(Code::kCorruption, "the stored producer's id or epoch is out of range");
  }
  return StreamCatalog::ProducerGrant{ProducerId(message.id()), static_cast<std::int16_t>(message.epoch())};
}

}  // namespace sluice::broker
