// UntagResource: RemoveTagsFromStream by ARN, and the same for consumers.
#include "broker/api/kinesis/consumers.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/tags.h"

namespace sluice::broker::kinesis {
namespace {

using protocol::aws::Required;
using protocol::aws::Shape;

const Shape& Input() {
  static const Shape shape = Shape::Structure()
                                 .Member("ResourceARN", ResourceArnShape(), Required::kYes)
                                 .Member("TagKeys", TagKeyListShape(), Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto resource = FindStreamOrConsumer(context, call);
  if (!resource) return std::unexpected(resource.error());
  return RemoveTags(context, call, resource->stream, resource->consumer);
}

}  // namespace

aws::Operation UntagResource(const Context& context) {
  return {"UntagResource", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
