// DeleteStream: the name is free at once; waiting reads are told; the files go in the background. Not while a delivery
// stream reads it: what it has not delivered yet would be lost.
#include <fmt/format.h>

#include "broker/api/native/handlers/messages.h"
#include "broker/log.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleDeleteStream(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::DeleteStreamRequest>(control);
  if (!request) return Error(request.error());
  const auto found = context.catalog.Find(request->name());
  if (!found) return Error(found.error());
  if (const auto holder = context.holds.HolderOf((*found)->id)) {
    return Error(
        Code::kFailedPrecondition,
        fmt::format("stream '{}' feeds delivery stream '{}', which would lose what it has not delivered; delete "
                    "the delivery stream first",
                    request->name(), *holder));
  }
  const auto stream = context.catalog.Delete(request->name());
  if (!stream) return Error(stream.error());
  log::Info("stream deleted", {{"stream", (*stream)->name}, {"id", (*stream)->id.value}});
  context.shards.ForgetStream(*stream);
  return ::sluice::native::Empty().SerializeAsString();
}

}  // namespace sluice::broker::native
