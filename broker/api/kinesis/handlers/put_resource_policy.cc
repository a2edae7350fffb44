// PutResourcePolicy: who may use a stream or a consumer, and who may not; in force with the answer.
#include "broker/api/kinesis/consumers.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/resource_policy.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_change.h"

namespace sluice::broker::kinesis {

using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

const Shape& Input() {
  static const Shape policy = Shape::Text();
  static const Shape shape = Shape::Structure()
                                 .Member("ResourceARN", ResourceArnShape(), Required::kYes)
                                 .Member("Policy", policy, Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto policy = CheckedPolicy(TextOf(call, "Policy"), TextOf(call, "ResourceARN"));
  const auto resource = FindStreamOrConsumer(context, call);
  if (!resource) return std::unexpected(resource.error());
  if (!policy) return std::unexpected(policy.error());
  return NoBody(ChangeAtOnce(context, call, resource->stream, [&](StreamInfo& stream) -> Refusal {
    std::string* const kept = PolicyIn(stream, resource->consumer);
    if (kept == nullptr) return ConsumerNotFound(resource->consumer, stream.name, call.caller());
    *kept = *policy;
    return std::nullopt;
  }));
}

}  // namespace

aws::Operation PutResourcePolicy(const Context& context) {
  return {"PutResourcePolicy", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
