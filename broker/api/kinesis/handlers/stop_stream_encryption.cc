// StopStreamEncryption: new records are stored as they come. Those that are encrypted stay so, and are read as before.
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/stream_encryption.h"

namespace sluice::broker::kinesis {
namespace {

constexpr DailyLimit kLimit{"StopStreamEncryption", kEncryptionCallsMax, &KinesisSettings::encryption_stops_ms};

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  return ChangeEncryption(context, call, kLimit, [](StreamInfo& stream) -> Refusal {
    stream.encryption.on = false;
    return std::nullopt;
  });
}

}  // namespace

aws::Operation StopStreamEncryption(const Context& context) {
  return {"StopStreamEncryption", EncryptionInputShape, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
