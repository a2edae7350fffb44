// StartDeliveryStreamEncryption: not served yet.
#include "broker/api/firehose/delivery_argument.h"
#include "broker/api/firehose/errors.h"
#include "broker/api/firehose/handlers/operations.h"
#include "broker/api/firehose/shapes.h"

namespace sluice::broker::firehose {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape =
      NamedInputShape().Member("DeliveryStreamEncryptionConfigurationInput", EncryptionInputShape());
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto info = FindForChange(context, call);
  if (!info) return std::unexpected(info.error());
  if (!(*info)->direct_put) {
    return std::unexpected(InvalidArgument(
        "Server-side encryption is only applicable for DirectPut stream type; encrypt the source stream."));
  }
  return std::unexpected(NotServed("StartDeliveryStreamEncryption: encryption of records at rest"));
}

}  // namespace

aws::Operation StartDeliveryStreamEncryption(const Context& context) {
  return {"StartDeliveryStreamEncryption", Input, Answering(context, Handle)};
}

}  // namespace sluice::broker::firehose
