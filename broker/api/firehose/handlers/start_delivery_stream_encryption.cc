// StartDeliveryStreamEncryption: from the answer on what is put is stored encrypted. Of one that is encrypted already:
// from then on with a new data key.
#include "broker/api/firehose/delivery_encryption.h"
#include "broker/api/firehose/handlers/operations.h"
#include "broker/api/firehose/shapes.h"

namespace sluice::broker::firehose {
namespace {

constexpr std::string_view kInputMember = "DeliveryStreamEncryptionConfigurationInput";

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = NamedInputShape().Member(kInputMember, EncryptionInputShape());
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto input = call.input().Find(kInputMember);
  if (input) {
    if (auto wrong = CheckEncryption(*input)) return std::unexpected(std::move(*wrong));
  }
  const auto info = FindToEncrypt(context, call);
  if (!info) return std::unexpected(info.error());
  if (auto failure = Encrypt(context, **info, input)) return std::unexpected(std::move(*failure));
  return std::string("{}");
}

}  // namespace

aws::Operation StartDeliveryStreamEncryption(const Context& context) {
  return {"StartDeliveryStreamEncryption", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::firehose
