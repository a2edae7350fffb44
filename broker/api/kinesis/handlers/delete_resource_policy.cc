// DeleteResourcePolicy: what there is without a policy; in force with the answer.
#include <fmt/format.h>

#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
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
  return NoBody(ChangeAtOnce(context, call, FindResource(context, call), [&](StreamInfo& stream) -> Refusal {
    if (stream.kinesis.policy.empty()) {
      return ApiError("ResourceNotFoundException",
                      fmt::format("No resource policy found for resource ARN {}.", TextOf(call, "ResourceARN")));
    }
    stream.kinesis.policy.clear();
    return std::nullopt;
  }));
}

}  // namespace

aws::Operation DeleteResourcePolicy(const Context& context) {
  return {"DeleteResourcePolicy", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
