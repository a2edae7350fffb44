// ListTagsForDeliveryStream: a page of the tags, by key.
#include <iterator>

#include "broker/api/aws/arguments.h"
#include "broker/api/aws/write_tags.h"
#include "broker/api/firehose/delivery_argument.h"
#include "broker/api/firehose/handlers/operations.h"
#include "broker/api/firehose/shapes.h"
#include "broker/api/firehose/tags.h"

namespace sluice::broker::firehose {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape limit = protocol::aws::Shape::Integer().Range(1, kTagsMax);
  static const protocol::aws::Shape shape =
      NamedInputShape().Member("ExclusiveStartTagKey", TagKeyShape()).Member("Limit", limit);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto info = FindDelivery(context, call);
  if (!info) return std::unexpected(info.error());
  DeliveryTags tags = (*info)->tags;
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

aws::Operation ListTagsForDeliveryStream(const Context& context) {
  return {"ListTagsForDeliveryStream", Input, Answering(context, Handle)};
}

}  // namespace sluice::broker::firehose
