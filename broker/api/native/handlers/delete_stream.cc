// DeleteStream: the name is free at once; waiting reads are told; the files go in the background.
#include "broker/api/native/handlers/messages.h"
#include "broker/log.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleDeleteStream(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::DeleteStreamRequest>(control);
  if (!request) return Error(request.error());
  const auto stream = context.catalog.Delete(request->name());
  if (!stream) return Error(stream.error());
  log::Info("stream deleted", {{"stream", (*stream)->name}, {"id", (*stream)->id.value}});
  context.shards.ForgetStream(*stream);
  return ::sluice::native::Empty().SerializeAsString();
}

}  // namespace sluice::broker::native
