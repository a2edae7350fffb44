// PutRecord: one record, answered when it is durable.
#include <fmt/format.h>

#include <algorithm>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/put.h"
#include "broker/api/kinesis/sequence_argument.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_access.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_text.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;
using protocol::aws::Shape;

namespace {

const Shape& Input() {
  static const Shape shape = WithRecordMembers(StreamInputShape())
                                 .Member("SequenceNumberForOrdering", SequenceNumberShape())
                                 .Member("DryRun", BooleanShape());
  return shape;
}

std::int64_t NewestShardSeconds(const StreamInfo& stream) {
  return std::ranges::max(stream.all_shards, {}, &ShardInfo::created_ms).created_ms / 1000;
}

/// Numbers that the stream has given are good, and those that are older than its newest shard; others are refused.
std::optional<ApiError> CheckOrdering(const Context& context, const aws::Call& call, const StreamInfo& stream) {
  const std::string_view text = TextOf(call, "SequenceNumberForOrdering");
  if (!text.empty() && stream.kinesis.auto_distribution) {
    return InvalidArgument(fmt::format(
        "SequenceNumberForOrdering cannot be used with the record distribution strategy AUTO of stream {} under "
        "account {}.",
        stream.name, call.caller().account));
  }
  if (text.empty() || AsOldestLayout(text)) return std::nullopt;
  const auto number = protocol::ParseSequenceNumber(text);
  bool good = number && number->shard_created_s <= NewestShardSeconds(stream);
  if (const ShardInfo* const shard = good ? ShardOf(*number, stream) : nullptr) {
    const Offset end = context.parts.store.OpenShard({stream.id, shard->shard})->durable_end();
    good = PlaceOf(*number, *shard, end).has_value();
  }
  if (good) return std::nullopt;
  return InvalidArgument(
      fmt::format("ExclusiveMinimumSequenceNumber {} used in PutRecord on stream {} under account {} is invalid.", text,
                  stream.name, call.caller().account));
}

/// The record, after all checks.
ApiResult<PutEntry> CheckedEntry(const Context& context, const aws::Call& call, const StreamInfo& stream) {
  ApiResult<PutEntry> entry = ReadEntry(context, stream, call.input());
  if (!entry) return entry;
  if (LacksKey(stream, *entry)) {
    const std::string problem = NullKey("");
    return std::unexpected(protocol::aws::ValidationError({&problem, 1}));
  }
  if (const std::size_t bytes_max = RecordBytesMax(context, stream); entry->bytes > bytes_max) {
    const std::string problem = TooLarge("", bytes_max);
    return std::unexpected(protocol::aws::ValidationError({&problem, 1}));
  }
  if (auto wrong = CheckOrdering(context, call, stream)) return std::unexpected(std::move(*wrong));
  if (auto dry = CheckDryRun(call, "PutRecord")) return std::unexpected(std::move(*dry));
  return entry;
}

std::string Answer(const aws::Call& call, const StreamInfo& stream, const PutResult& result) {
  const ShardInfo& shard = *result.shard;
  constexpr std::size_t kAnswerBytes = 160;
  const auto writer = call.NewWriter();
  writer->Reserve(kAnswerBytes);
  writer->BeginMap();
  writer->Name("ShardId").Text(ShardName(shard.shard));
  writer->Name("SequenceNumber")
      .Text(RecordNumber(shard, result.appended->base_offset, result.appended->append_time_ms));
  if (stream.encryption.on) writer->Name("EncryptionType").Text("KMS");
  writer->EndMap();
  return writer->Take();
}

void Run(const Context& context, const aws::CallPtr& call) {
  auto stream = AccessStream(context, *call, "PutRecord");
  if (!stream) return call->Fail(std::move(stream.error()));
  auto entry = CheckedEntry(context, *call, **stream);
  if (!entry) return call->Fail(std::move(entry.error()));
  Put(context, call, *stream, {*entry}, [call, stream = *stream](const PutResults& results) {
    const PutResult& result = results.front();
    if (result.appended) return call->Answer(Answer(*call, *stream, result));
    if (result.throttled) return call->Fail(RateExceeded(result.shard->shard, stream->name, call->caller()));
    call->Fail(RecordsFailure(result.appended.error(), stream->name, call->caller()));
  });
}

}  // namespace

aws::Operation PutRecord(const Context& context) {
  return {"PutRecord", Input, [&context](const aws::CallPtr& call) { Run(context, call); }};
}

}  // namespace sluice::broker::kinesis
