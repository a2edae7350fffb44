// RegisterStreamConsumer: a name under which a stream is read with SubscribeToShard. It can be used at once, although
// the answer says CREATING, as AWS's does, unless it is to be CREATING for a time.
#include <fmt/format.h>

#include <algorithm>

#include "broker/api/kinesis/consumers.h"
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/tags.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

const Shape& Input() {
  static const Shape shape = Shape::Structure()
                                 .Member("StreamARN", StreamArnShape(), Required::kYes)
                                 .Member("ConsumerName", ConsumerNameShape(), Required::kYes)
                                 .Member("Tags", TagMapShape());
  return shape;
}

std::optional<ApiError> CheckTagsOfInput(const aws::Call& call, const Tags& tags) {
  const TagTarget target{"consumer", fmt::format("consumer {}", TextOf(call, "ConsumerName"))};
  if (auto wrong = CheckTags(tags, target, call.caller())) return wrong;
  return CheckTagCount(tags, target, call.caller());
}

std::optional<ApiError> CheckRoom(const Context& context, const StreamInfo& stream, const std::string& name,
                                  const aws::Caller& caller) {
  const auto& consumers = stream.kinesis.consumers;
  if (consumers.contains(name) || context.consumer_lifecycle->Deleting(stream.id).contains(name)) {
    return ApiError("ResourceInUseException", fmt::format("Consumer {} under stream {} already exists for account {}.",
                                                          name, stream.name, caller.account));
  }
  const auto creating = std::ranges::count_if(consumers, [&](const auto& one) {
    return context.consumer_lifecycle->StateOf(one.second) == StreamState::kCreating;
  });
  if (creating >= kCreatingConsumersMax) {
    return ApiError("LimitExceededException",
                    fmt::format("Stream {} under account {} has {} consumers in state CREATING, and may have no more "
                                "at one time.",
                                stream.name, caller.account, creating));
  }
  if (consumers.size() < kConsumersMax) return std::nullopt;
  return ApiError("LimitExceededException",
                  fmt::format("Stream {} under account {} has reached the limit of {} registered consumers.",
                              stream.name, caller.account, kConsumersMax));
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto found = FindStream(context, call);
  if (!found) return std::unexpected(found.error());
  if (const StreamState state = context.lifecycle->StateOf(**found); state != StreamState::kActive) {
    return std::unexpected(NotActive(state, (*found)->name, call.caller()));
  }
  const auto map = call.input().Find("Tags");
  Consumer consumer{*found, std::string(TextOf(call, "ConsumerName")), {}};
  consumer.info = {.created_ms = context.parts.clock.WallMs(), .tags = map ? ReadTags(*map) : Tags()};
  std::optional<ApiError> wrong = CheckTagsOfInput(call, consumer.info.tags);
  if (wrong) return std::unexpected(std::move(*wrong));
  const auto changed = context.parts.catalog.Change((*found)->name, [&](StreamInfo& now) {
    wrong = CheckRoom(context, now, consumer.name, call.caller());
    if (wrong) return Status(Code::kFailedPrecondition, wrong->message);
    now.kinesis.consumers[consumer.name] = consumer.info;
    return Status();
  });
  if (wrong) return std::unexpected(std::move(*wrong));
  if (!changed) return std::unexpected(FromStatus(changed.error(), (*found)->name, call.caller()));
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("Consumer").BeginMap();
  WriteConsumer(*writer, consumer, "CREATING", call.caller());
  writer->EndMap();
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation RegisterStreamConsumer(const Context& context) {
  return {"RegisterStreamConsumer", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
