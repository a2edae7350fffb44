// ListTagsForResource: all tags of a stream, by ARN.
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
  const auto stream = FindResource(context, call);
  if (!stream) return std::unexpected(stream.error());
  const auto writer = call.NewWriter();
  writer->BeginMap();
  WriteTags(*writer, (*stream)->kinesis.tags);
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation ListTagsForResource(const Context& context) {
  return {"ListTagsForResource", Input, Answering(context, Handle)};
}

}  // namespace sluice::broker::kinesis
