// EncryptStream: whether a stream's new records are stored encrypted, from now on.
#include "broker/api/native/handlers/messages.h"
#include "broker/encryption/keyring.h"
#include "broker/log.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleEncryptStream(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::EncryptStreamRequest>(control);
  if (!request) return Error(request.error());
  const auto stream = request->encrypted() ? context.keyring.Encrypt(request->name(), request->key_id())
                                           : context.keyring.StopEncrypting(request->name());
  if (!stream) return Error(stream.error());
  log::Info("encryption changed", {{"stream", (*stream)->name}, {"encrypted", (*stream)->encryption.on}});
  ::sluice::native::StreamInfo answer;
  ToMessage(context, **stream, answer);
  return answer.SerializeAsString();
}

}  // namespace sluice::broker::native
