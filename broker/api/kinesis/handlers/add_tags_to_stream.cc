// AddTagsToStream: tags of the same key are replaced.
#include <fmt/format.h>

#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/tags.h"

namespace sluice::broker::kinesis {
namespace {

using protocol::aws::Required;

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = StreamInputShape().Member("Tags", TagMapShape(), Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto stream = FindStream(context, call);
  if (!stream) return std::unexpected(stream.error());
  return AddTags(context, call, *stream, {"stream", fmt::format("stream {}", (*stream)->name)});
}

}  // namespace

aws::Operation AddTagsToStream(const Context& context) {
  return {"AddTagsToStream", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
