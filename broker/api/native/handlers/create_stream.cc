// CreateStream: makes a stream and describes it.
#include "broker/api/native/handlers/messages.h"
#include "broker/log.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleCreateStream(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::CreateStreamRequest>(control);
  if (!request) return Error(request.error());
  const auto stream = context.catalog.Create(request->name(), request->shards(), FromMessage(request->retention()));
  if (!stream) return Error(stream.error());
  log::Info("stream created",
            {{"stream", (*stream)->name}, {"id", (*stream)->id.value}, {"shards", request->shards()}});
  ::sluice::native::StreamInfo answer;
  ToMessage(context, **stream, answer);
  return answer.SerializeAsString();
}

}  // namespace sluice::broker::native
