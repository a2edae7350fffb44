// PutRecord: one record, answered when it is durable.
#include <fmt/format.h>

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

/// The record's number will be above any that the stream has given or that is older than it; others are refused.
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
  bool good = number && number->shard_created_s <= CreatedSeconds(stream);
  if (good && IsOfStream(*number, stream)) {
    good = CheckShard(stream, number->shard).ok() &&
           OffsetAfter(*number) <= context.parts.store.OpenShard({stream.id, number->shard})->durable_end();
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

std::string Answer(const aws::Call& call, const StreamInfo& stream, ShardIndex shard,
                   const storage::Appended& appended) {
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("ShardId").Text(ShardName(shard));
  writer->Name("SequenceNumber").Text(RecordNumber(stream, shard, appended.base_offset, appended.append_time_ms));
  writer->EndMap();
  return writer->Take();
}

void Run(const Context& context, const aws::CallPtr& call) {
  auto stream = AccessStream(context, *call, "PutRecord");
  if (!stream) return call->Fail(std::move(stream.error()));
  auto entry = CheckedEntry(context, *call, **stream);
  if (!entry) return call->Fail(std::move(entry.error()));
  const ShardIndex shard = entry->shard;
  Throttle(context, **stream, {&*entry, 1});
  if (entry->throttled) return call->Fail(RateExceeded(shard, (*stream)->name, call->caller()));
  Put(context, call, *stream, {*entry}, [call, stream = *stream, shard](const PutResults& results) {
    const Result<storage::Appended>& result = results.front();
    if (result) return call->Answer(Answer(*call, *stream, shard, *result));
    call->Fail(FromStatus(result.error(), stream->name, call->caller()));
  });
}

}  // namespace

aws::Operation PutRecord(const Context& context) {
  return {"PutRecord", Input, [&context](const aws::CallPtr& call) { Run(context, call); }};
}

}  // namespace sluice::broker::kinesis
