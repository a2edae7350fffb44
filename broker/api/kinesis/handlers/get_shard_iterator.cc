// GetShardIterator: a place in a shard, as text. The five types all become an offset now; what an iterator meant is
// decided once.
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/shard_iterator.h"
#include "broker/api/kinesis/shard_place.h"
#include "broker/api/kinesis/stream_access.h"
#include "broker/api/kinesis/stream_argument.h"

namespace sluice::broker::kinesis {

using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

const Shape& Input() {
  static const Shape shape = StreamInputShape()
                                 .Member("ShardId", ShardIdShape(), Required::kYes)
                                 .Member("ShardIteratorType", PlaceTypeShape(), Required::kYes)
                                 .Member("StartingSequenceNumber", SequenceNumberShape())
                                 .Member("Timestamp", TimestampShape())
                                 .Member("DryRun", BooleanShape());
  return shape;
}

WantedPlace Wanted(const aws::Call& call) {
  return {.operation = "GetShardIterator",
          .type = TextOf(call, "ShardIteratorType"),
          .number = TextOf(call, "StartingSequenceNumber"),
          .time = call.input().Find("Timestamp")};
}

void Answer(const Context& context, aws::Call& call, const NamedShard& target, Offset place) {
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
void AnswerAtTime(const Context& context, const aws::CallPtr& call, NamedShard target) {
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
  auto stream = AccessStream(context, *call, "GetShardIterator");
  if (!stream) return call->Fail(std::move(stream.error()));
  auto target = FindShard(context, call->caller(), std::move(*stream), TextOf(*call, "ShardId"));
  if (!target) return call->Fail(std::move(target.error()));
  const WantedPlace wanted = Wanted(*call);
  if (auto wrong = CheckPlace(context, wanted)) return call->Fail(std::move(*wrong));
  if (context.throttle != nullptr && !context.throttle->TakeIterator({target->stream->id, target->shard})) {
    return call->Fail(RateExceeded(target->shard, target->stream->name, call->caller()));
  }
  if (wanted.type == "AT_TIMESTAMP") return AnswerAtTime(context, call, std::move(*target));
  auto place = FindPlace(wanted, *target, call->caller());
  if (!place) return call->Fail(std::move(place.error()));
  Answer(context, *call, *target, *place);
}

}  // namespace

aws::Operation GetShardIterator(const Context& context) {
  return {"GetShardIterator", Input, [&context](const aws::CallPtr& call) { Run(context, call); }};
}

}  // namespace sluice::broker::kinesis
