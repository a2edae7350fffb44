// StopDeliveryStreamEncryption: what is put from now on is stored as it comes. What is encrypted stays so until it is
// delivered.
#include "broker/api/firehose/delivery_encryption.h"
#include "broker/api/firehose/handlers/operations.h"
#include "broker/api/firehose/shapes.h"
#include "broker/log.h"

namespace sluice::broker::firehose {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = NamedInputShape();
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto info = FindToEncrypt(context, call);
  if (!info) return std::unexpected(info.error());
  const auto stopped = context.parts.keyring.StopEncrypting((*info)->source_name);
  if (!stopped) return std::unexpected(KeyFailure(stopped.error()));
  log::Info("encryption changed", {{"delivery_stream", (*info)->name}, {"encrypted", false}});
  return std::string("{}");
}

}  // namespace

aws::Operation StopDeliveryStreamEncryption(const Context& context) {
  return {"StopDeliveryStreamEncryption", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::firehose
