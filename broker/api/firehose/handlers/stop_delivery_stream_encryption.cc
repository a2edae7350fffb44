// StopDeliveryStreamEncryption: new records are stored as they come. Those that are encrypted stay so, and are
// delivered as before.
#include "broker/api/firehose/delivery_argument.h"
#include "broker/api/firehose/errors.h"
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
  const auto info = FindForChange(context, call);
  if (!info) return std::unexpected(info.error());
  if (!(*info)->direct_put) {
    return std::unexpected(InvalidArgument("Server-side encryption is only applicable for DirectPut stream type."));
  }
  const auto changed = context.parts.keyring.StopEncrypting((*info)->source_name);
  if (!changed) return std::unexpected(KeyFailure(changed.error()));
  log::Info("encryption changed", {{"delivery_stream", (*info)->name}, {"encrypted", false}});
  return std::string("{}");
}

}  // namespace

aws::Operation StopDeliveryStreamEncryption(const Context& context) {
  return {"StopDeliveryStreamEncryption", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::firehose
