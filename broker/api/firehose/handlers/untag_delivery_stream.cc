// UntagDeliveryStream: removes tags; in any state. A key that is not there is passed over.
#include "broker/api/firehose/delivery_argument.h"
#include "broker/api/firehose/errors.h"
#include "broker/api/firehose/handlers/operations.h"
#include "broker/api/firehose/shapes.h"

namespace sluice::broker::firehose {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape keys = protocol::aws::Shape::List(TagKeyShape()).Length(1, 50);
  static const protocol::aws::Shape shape = NamedInputShape().Member("TagKeys", keys, protocol::aws::Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto info = FindDelivery(context, call);
  if (!info) return std::unexpected(info.error());
  const Status status = context.parts.deliveries.EditTags((*info)->name, [&](DeliveryTags& tags) {
    for (const auto [unnamed, key] : call.input().Find("TagKeys")->children()) {
      if (key.kind() == protocol::aws::Kind::kText) tags.erase(std::string(key.text()));
    }
    return Status();
  });
  if (!status.ok()) return std::unexpected(FromStatus(status, (*info)->name, call.caller()));
  return std::string("{}");
}

}  // namespace

aws::Operation UntagDeliveryStream(const Context& context) {
  return {"UntagDeliveryStream", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::firehose
