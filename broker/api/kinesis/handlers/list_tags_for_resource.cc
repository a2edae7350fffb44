// ListTagsForResource: all tags of a stream or consumer, by ARN.
#include "broker/api/aws/write_tags.h"
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
  static const Shape shape = Shape::Structure().Member("ResourceARN", ResourceArnShape(), Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto resource = FindStreamOrConsumer(context, call);
  if (!resource) return std::unexpected(resource.error());
  const KinesisSettings& settings = resource->stream->kinesis;
  const auto writer = call.NewWriter();
  writer->BeginMap();
  aws::WriteTags(*writer, resource->consumer.empty() ? settings.tags : settings.consumers.at(resource->consumer).tags);
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation ListTagsForResource(const Context& context) {
  return {"ListTagsForResource", Input, Answering(context, Handle)};
}

}  // namespace sluice::broker::kinesis
