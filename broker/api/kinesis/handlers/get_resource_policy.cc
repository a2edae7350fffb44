// GetResourcePolicy: the policy without white space; "{}" where there is none.
#include "broker/api/kinesis/consumers.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"

namespace sluice::broker::kinesis {

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
  const KinesisSettings& settings = resource->stream->kinesis;
  const std::string& policy =
      resource->consumer.empty() ? settings.policy : settings.consumers.at(resource->consumer).policy;
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("Policy").Text(policy.empty() ? "{}" : policy);
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation GetResourcePolicy(const Context& context) {
  return {"GetResourcePolicy", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
