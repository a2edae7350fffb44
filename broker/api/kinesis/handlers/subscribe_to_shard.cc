// SubscribeToShard: what is wrong with a request is told at once; what is right with it becomes a subscription.
#include "broker/api/kinesis/consumers.h"
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/shard_place.h"
#include "broker/api/kinesis/stream_access.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/subscription.h"

namespace sluice::broker::kinesis {

using protocol::aws::Required;
using protocol::aws::Shape;
using protocol::aws::Value;

namespace {

const Shape& Input() {
  static const Shape position = Shape::Structure()
                                    .Member("Type", PlaceTypeShape(), Required::kYes)
                                    .Member("SequenceNumber", SequenceNumberShape())
                                    .Member("Timestamp", TimestampShape());
  static const Shape shape = Shape::Structure()
                                 .Member("ConsumerARN", ConsumerArnShape(), Required::kYes)
                                 .Member("ShardId", ShardIdShape(), Required::kYes)
                                 .Member("StartingPosition", position, Required::kYes)
                                 .Member("DryRun", BooleanShape());
  return shape;
}

WantedPlace Wanted(Value position) {
  const auto number = position.Find("SequenceNumber");
  return {.operation = "SubscribeToShard",
          .type = position.Find("Type")->text(),
          .number = number ? number->text() : std::string_view(),
          .time = position.Find("Timestamp")};
}

ApiResult<Subscription::Target> ReadInput(const Context& context, const aws::Call& call) {
  auto consumer = AccessConsumer(context, call, "SubscribeToShard");
  if (!consumer) return std::unexpected(consumer.error());
  if (consumer->state != StreamState::kActive) return std::unexpected(ConsumerNotActive(*consumer, call.caller()));
  const auto shard = FindShard(context, call.caller(), consumer->stream, TextOf(call, "ShardId"));
  if (!shard) return std::unexpected(shard.error());
  const WantedPlace wanted = Wanted(*call.input().Find("StartingPosition"));
  if (auto wrong = CheckPlace(context, wanted)) return std::unexpected(std::move(*wrong));
  Subscription::Target target{std::move(*consumer), shard->shard, FromOldest()};
  if (wanted.type == "AT_TIMESTAMP") {
    target.from = FromTime(protocol::aws::ToTimestampMs(*wanted.time));
  } else if (wanted.type != "TRIM_HORIZON") {
    const auto place = FindPlace(wanted, *shard, call.caller());
    if (!place) return std::unexpected(place.error());
    target.from = *place;
  }
  if (auto dry = CheckDryRun(call, "SubscribeToShard")) return std::unexpected(std::move(*dry));
  return target;
}

void Run(const Context& context, const aws::CallPtr& call) {
  auto target = ReadInput(context, *call);
  if (!target) return call->Fail(std::move(target.error()));
  std::make_shared<Subscription>(context, call, std::move(*target))->Begin();
}

}  // namespace

aws::Operation SubscribeToShard(const Context& context) {
  return {"SubscribeToShard", Input, [&context](const aws::CallPtr& call) { Run(context, call); }};
}

}  // namespace sluice::broker::kinesis
