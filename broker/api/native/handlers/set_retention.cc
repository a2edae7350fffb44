// SetRetention: how long a stream's records are kept, from now on.
#include "broker/api/native/handlers/messages.h"
#include "broker/log.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleSetRetention(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::SetRetentionRequest>(control);
  if (!request) return Error(request.error());
  const auto stream = context.catalog.SetRetention(request->name(), FromMessage(request->retention()));
  if (!stream) return Error(stream.error());
  log::Info("retention changed", {{"stream", (*stream)->name},
                                  {"age_ms", request->retention().age_ms()},
                                  {"bytes", request->retention().bytes()}});
  ::sluice::native::StreamInfo answer;
  ToMessage(context, **stream, answer);
  return answer.SerializeAsString();
}

}  // namespace sluice::broker::native
