// ListTagsForStream: a page of a stream's tags, by key.
#include "broker/api/aws/write_tags.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/tags.h"

namespace sluice::broker::kinesis {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape limit = protocol::aws::Shape::Integer().Range(1, kTagsMax);
  static const protocol::aws::Shape shape =
      StreamInputShape().Member("ExclusiveStartTagKey", TagKeyShape()).Member("Limit", limit);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto stream = FindStream(context, call);
  if (!stream) return std::unexpected(stream.error());
  Tags tags = (*stream)->kinesis.tags;
  const std::string start(TextOf(call, "ExclusiveStartTagKey"));
  tags.erase(tags.begin(), start.empty() ? tags.begin() : tags.upper_bound(start));
  const auto limit = static_cast<std::size_t>(IntegerOf(call, "Limit").value_or(kTagsMax));
  const bool more = tags.size() > limit;
  if (more) tags.erase(std::next(tags.begin(), static_cast<std::ptrdiff_t>(limit)), tags.end());
  const auto writer = call.NewWriter();
  writer->BeginMap();
  aws::WriteTags(*writer, tags);
  writer->Name("HasMoreTags").Boolean(more);
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation ListTagsForStream(const Context& context) {
  return {"ListTagsForStream", Input, Answering(context, Handle)};
}

}  // namespace sluice::broker::kinesis
