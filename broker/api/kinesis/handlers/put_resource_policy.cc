// PutResourcePolicy: who may read and write a stream, and who may not; in force with the answer.
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/resource_policy.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
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
  const auto found = FindResource(context, call);
  if (found && !policy) return std::unexpected(policy.error());
  return NoBody(ChangeAtOnce(context, call, found, [&](StreamInfo& stream) -> Refusal {
    stream.kinesis.policy = *policy;
    return std::nullopt;
  }));
}

}  // namespace

aws::Operation PutResourcePolicy(const Context& context) {
  return {"PutResourcePolicy", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
