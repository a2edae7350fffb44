// Streams and producers as Protobuf messages.
#include "broker/stream_codec.h"

#include "broker/stored.pb.h"
#include "protocol/check.h"

namespace sluice::broker {
namespace {

constexpr std::uint32_t kFormat = 1;

Status CheckFormat(std::uint32_t format) {
  if (format == kFormat) return {};
  if (format == 0) return Status(Code::kCorruption, "the stored value has no format number");
  return Status(Code::kUnimplemented, "the stored value has format " + std::to_string(format) +
                                          ", this version knows " + std::to_string(kFormat) +
                                          "; start the version that wrote it");
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
  for (const protocol::ShardRange& range : stream.shards.ranges()) {
    stored::Range& out = *message.add_shards();
    out.set_shard(range.shard.value);
    out.set_first_high(range.first.high);
    out.set_first_low(range.first.low);
    out.set_last_high(range.last.high);
    out.set_last_low(range.last.low);
  }
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
  return message.SerializeAsString();
}

Result<StreamInfo> DecodeStream(std::string_view bytes) {
  stored::Stream message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error(Code::kCorruption, "the stored stream does not parse");
  }
  if (Status status = CheckFormat(message.format()); !status.ok()) return Error(status);
  if (message.id() == 0) return Error(Code::kCorruption, "the stored stream has no id");
  StreamInfo stream{.id = StreamId(message.id()),
                    .name = message.name(),
                    .created_ms = message.created_ms(),
                    .hidden = message.hidden(),
                    .retention = {},
                    .kinesis = {},
                    .shards = {}};
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
  std::vector<protocol::ShardRange> ranges;
  for (const stored::Range& range : message.shards()) {
    ranges.push_back(
        {ShardIndex(range.shard()), {range.first_high(), range.first_low()}, {range.last_high(), range.last_low()}});
  }
  auto shards = protocol::ShardMap::FromRanges(std::move(ranges));
  if (!shards) return Error(Code::kCorruption, "the stored stream's shards: " + shards.error().message());
  stream.shards = std::move(*shards);
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
  if (Status status = CheckFormat(message.format()); !status.ok()) return Error(status);
  if (message.id() < 0 || message.epoch() < 0 || message.epoch() > INT16_MAX) {
    return Error(Code::kCorruption, "the stored producer's id or epoch is out of range");
  }
  return StreamCatalog::ProducerGrant{ProducerId(message.id()), static_cast<std::int16_t>(message.epoch())};
}

}  // namespace sluice::broker
