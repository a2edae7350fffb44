// StopDeliveryStreamEncryption: as no delivery stream is encrypted, there is nothing to stop.
#include "broker/api/firehose/delivery_argument.h"
#include "broker/api/firehose/errors.h"
#include "broker/api/firehose/handlers/operations.h"
#include "broker/api/firehose/shapes.h"

namespace sluice::broker::firehose {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = NamedInputShape();
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto info = FindForChange(context, call);
  if (!info) return std::unexpected(info.error());
  return std::unexpected(NotServed("StopDeliveryStreamEncryption: encryption of records at rest"));
}

}  // namespace

aws::Operation StopDeliveryStreamEncryption(const Context& context) {
  return {"StopDeliveryStreamEncryption", Input, Answering(context, Handle)};
}

}  // namespace sluice::broker::firehose
