// GetShardIterator: a place in a shard, as text. The five types all become an offset now; what an iterator meant is
// decided once.
#include <fmt/format.h>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/sequence_argument.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/shard_iterator.h"
#include "broker/api/kinesis/stream_access.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_text.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

const Shape& Input() {
  static const Shape type =
      Shape::Text().OneOf({"AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"});
  static const Shape shape = StreamInputShape()
                                 .Member("ShardId", ShardIdShape(), Required::kYes)
                                 .Member("ShardIteratorType", type, Required::kYes)
                                 .Member("StartingSequenceNumber", SequenceNumberShape())
                                 .Member("Timestamp", TimestampShape())
                                 .Member("DryRun", BooleanShape());
  return shape;
}

/// The shard that is meant, and its log.
struct Target {
  StreamPtr stream;
  ShardIndex shard;
  std::shared_ptr<storage::ShardLog> log;
};

ApiResult<Target> FindTarget(const Context& context, const aws::Call& call) {
  auto stream = AccessStream(context, call, "GetShardIterator");
  if (!stream) return std::unexpected(stream.error());
  const std::string_view named = TextOf(call, "ShardId");
  const auto shard = ParseShardName(named);
  if (!shard) return std::unexpected(ShardNotFound(named, (*stream)->name, call.caller()));
  if (!CheckShard(**stream, *shard).ok()) return std::unexpected(NoSuchShard(*shard, (*stream)->name, call.caller()));
  return Target{*stream, *shard, context.parts.store.OpenShard({(*stream)->id, *shard})};
}

/// Which of the other members belong to which type.
std::optional<ApiError> CheckMembers(const Context& context, const aws::Call& call) {
  const std::string_view type = TextOf(call, "ShardIteratorType");
  const bool has_number = !TextOf(call, "StartingSequenceNumber").empty();
  const bool wants_number = type.ends_with("_SEQUENCE_NUMBER");
  if (type != "AT_TIMESTAMP" && has_number != wants_number) {
    return InvalidArgument(
        fmt::format("Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or "
                    "(2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified {} and {} "
                    "StartingSequenceNumber.",
                    type, has_number ? "also a" : "no"));
  }
  if (type != "AT_TIMESTAMP") return std::nullopt;
  const auto time = call.input().Find("Timestamp");
  if (!time) {
    return InvalidArgument(
        "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp "
        "parameter.");
  }
  const std::int64_t time_ms = protocol::aws::ToTimestampMs(*time);
  const std::int64_t now_ms = context.parts.clock.WallMs();
  if (time_ms <= now_ms) return std::nullopt;
  return InvalidArgument(
      fmt::format("The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
                  "timestampInMillis: {}, currentTimestampInMillis: {}",
                  time_ms, now_ms));
}

ApiError BadNumber(std::string_view number, const Target& target, const aws::Caller& caller, std::string_view why) {
  return InvalidArgument(
      fmt::format("StartingSequenceNumber {} used in GetShardIterator on shard {} in stream {} under account {} is "
                  "invalid{}.",
                  number, ShardName(target.shard), target.stream->name, caller.account, why));
}

ApiResult<Offset> AtNumber(const aws::Call& call, const Target& target) {
  constexpr std::string_view kForeign = " because it did not come from this stream";
  const std::string_view text = TextOf(call, "StartingSequenceNumber");
  if (const auto old = AsOldestLayout(text)) return std::unexpected(BadNumber(*old, target, call.caller(), kForeign));
  const auto number = protocol::ParseSequenceNumber(text);
  if (!number) return std::unexpected(BadNumber(text, target, call.caller(), ""));
  if (number->shard != target.shard) {
    return std::unexpected(InvalidArgument(
        fmt::format("Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to a shard with {}",
                    ShardName(number->shard), ShardName(target.shard))));
  }
  const ShardInfo* const shard = ShardOf(*number, *target.stream);
  if (shard == nullptr) return std::unexpected(BadNumber(text, target, call.caller(), kForeign));
  const auto place = PlaceOf(*number, *shard, target.log->durable_end());
  if (!place) return std::unexpected(BadNumber(text, target, call.caller(), ""));
  return TextOf(call, "ShardIteratorType") == "AT_SEQUENCE_NUMBER" ? place->at : place->after;
}

ApiResult<Offset> FindPlace(const aws::Call& call, const Target& target) {
  const std::string_view type = TextOf(call, "ShardIteratorType");
  if (type == "TRIM_HORIZON") return target.log->oldest();
  if (type == "LATEST") return target.log->durable_end();
  return AtNumber(call, target);
}

void Answer(const Context& context, aws::Call& call, const Target& target, Offset place) {
  if (auto dry = CheckDryRun(call, "GetShardIterator")) return call.Fail(std::move(*dry));
  const ShardIterator iterator{.stream_name = target.stream->name,
                               .stream = target.stream->id,
                               .shard = target.shard,
                               .next = place,
                               .issued_ms = context.parts.clock.WallMs(),
                               .salt = context.parts.random.Next()};
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("ShardIterator").Text(EncodeShardIterator(iterator, context.token_key));
  writer->EndMap();
  call.Answer(writer->Take());
}

/// Looks for the place on the blocking pool: the index of a segment may have to be read.
void AnswerAtTime(const Context& context, const aws::CallPtr& call, Target target) {
  const std::int64_t time_ms = protocol::aws::ToTimestampMs(*call->input().Find("Timestamp"));
  context.parts.shards.loops().RunBlocking([&context, call, target = std::move(target), time_ms] {
    auto place = target.log->OffsetAtTimeBlocking(time_ms);
    call->loop().Post([&context, call, target, place = std::move(place)] {
      if (!place) return call->Fail(InternalFailure(place.error()));
      Answer(context, *call, target, *place);
    });
  });
}

void Run(const Context& context, const aws::CallPtr& call) {
  auto target = FindTarget(context, *call);
  if (!target) return call->Fail(std::move(target.error()));
  if (auto wrong = CheckMembers(context, *call)) return call->Fail(std::move(*wrong));
  if (context.throttle != nullptr && !context.throttle->TakeIterator({target->stream->id, target->shard})) {
    return call->Fail(RateExceeded(target->shard, target->stream->name, call->caller()));
  }
  if (TextOf(*call, "ShardIteratorType") == "AT_TIMESTAMP") return AnswerAtTime(context, call, std::move(*target));
  auto place = FindPlace(*call, *target);
  if (!place) return call->Fail(std::move(place.error()));
  Answer(context, *call, *target, *place);
}

}  // namespace

aws::Operation GetShardIterator(const Context& context) {
  return {"GetShardIterator", Input, [&context](const aws::CallPtr& call) { Run(context, call); }};
}

}  // namespace sluice::broker::kinesis
