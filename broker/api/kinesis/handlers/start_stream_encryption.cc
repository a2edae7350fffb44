// StartStreamEncryption: from the answer on the stream's records are encrypted in journal and segments. Of a stream
// that is encrypted already: from then on with a new data key.
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_encryption.h"

namespace sluice::broker::kinesis {
namespace {

constexpr DailyLimit kLimit{"StartStreamEncryption", kEncryptionCallsMax, &KinesisSettings::encryption_starts_ms};

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  return ChangeEncryption(context, call, kLimit, [&](StreamInfo& stream) -> Refusal {
    Status status = context.parts.keyring.Renew(stream, TextOf(call, "KeyId"));
    return status.ok() ? Refusal() : KeyFailure(status);
  });
}

}  // namespace

aws::Operation StartStreamEncryption(const Context& context) {
  return {"StartStreamEncryption", EncryptionInputShape, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
