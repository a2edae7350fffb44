// TagDeliveryStream: adds tags, or gives them other values; in any state.
#include <fmt/format.h>

#include "broker/api/firehose/delivery_argument.h"
#include "broker/api/firehose/errors.h"
#include "broker/api/firehose/handlers/operations.h"
#include "broker/api/firehose/shapes.h"
#include "broker/api/firehose/tags.h"

namespace sluice::broker::firehose {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape =
      NamedInputShape().Member("Tags", TagListShape(), protocol::aws::Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto info = FindDelivery(context, call);
  if (!info) return std::unexpected(info.error());
  const DeliveryTags added = ReadTags(*call.input().Find("Tags"));
  bool too_many = false;
  const Status status = context.parts.deliveries.EditTags((*info)->name, [&](DeliveryTags& tags) {
    for (const auto& [key, value] : added) tags[key] = value;
    too_many = tags.size() > kTagsMax;
    return too_many ? Status(Code::kResourceExhausted, "too many tags") : Status();
  });
  if (too_many) {
    return std::unexpected(protocol::aws::ApiError(
        "LimitExceededException", fmt::format("Firehose {} under account {} cannot have more than {} tags.",
                                              (*info)->name, call.caller().account, kTagsMax)));
  }
  if (!status.ok()) return std::unexpected(FromStatus(status, (*info)->name, call.caller()));
  return std::string("{}");
}

}  // namespace

aws::Operation TagDeliveryStream(const Context& context) {
  return {"TagDeliveryStream", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::firehose
