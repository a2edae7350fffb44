// DeleteDeliveryStream: gone with the answer, and with it what was not delivered yet, as AWS discards its buffer. The
// objects stay in the lake.
#include "broker/api/firehose/delivery_argument.h"
#include "broker/api/firehose/errors.h"
#include "broker/api/firehose/handlers/operations.h"
#include "broker/api/firehose/shapes.h"

namespace sluice::broker::firehose {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = NamedInputShape().Member("AllowForceDelete", BooleanShape());
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto info = FindDelivery(context, call);
  if (!info) return std::unexpected(info.error());
  const DeliveryState state = context.lifecycle->StateOf(**info);
  if (state == DeliveryState::kCreating) return std::unexpected(NotActive(state, (*info)->name, call.caller()));
  if (state == DeliveryState::kDeleting) return std::string("{}");
  context.lifecycle->BeginDelete(*info);
  const Status deleted = context.parts.deliveries.Discard((*info)->name);
  if (deleted.ok() || deleted.code() == Code::kNotFound) {
    context.lifecycle->Deleted((*info)->name);
    return std::string("{}");
  }
  context.lifecycle->NotDeleted((*info)->name);
  return std::unexpected(FromStatus(deleted, (*info)->name, call.caller()));
}

}  // namespace

aws::Operation DeleteDeliveryStream(const Context& context) {
  return {"DeleteDeliveryStream", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::firehose
