// RemoveTagsFromStream: keys that the stream does not have are ignored.
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/tags.h"

namespace sluice::broker::kinesis {
namespace {

using protocol::aws::Required;

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = StreamInputShape().Member("TagKeys", TagKeyListShape(), Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  return RemoveTags(context, call, FindStream(context, call));
}

}  // namespace

aws::Operation RemoveTagsFromStream(const Context& context) {
  return {"RemoveTagsFromStream", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
