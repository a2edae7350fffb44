// DeleteResourcePolicy: what there is without a policy; in force with the answer.
#include <fmt/format.h>

#include "broker/api/kinesis/consumers.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/resource_policy.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_change.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

const Shape& Input() {
  static const Shape shape = Shape::Structure().Member("ResourceARN", ResourceArnShape(), Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto resource = FindStreamOrConsumer(context, call);
  if (!resource) return std::unexpected(resource.error());
  return NoBody(ChangeAtOnce(context, call, resource->stream, [&](StreamInfo& stream) -> Refusal {
    std::string* const kept = PolicyIn(stream, resource->consumer);
    if (kept == nullptr) return ConsumerNotFound(resource->consumer, stream.name, call.caller());
    if (kept->empty()) {
      return ApiError("ResourceNotFoundException",
                      fmt::format("No resource policy found for resource ARN {}.", TextOf(call, "ResourceARN")));
    }
    kept->clear();
    return std::nullopt;
  }));
}

}  // namespace

aws::Operation DeleteResourcePolicy(const Context& context) {
  return {"DeleteResourcePolicy", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
