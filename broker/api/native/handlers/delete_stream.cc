// DeleteStream: the name is free at once; waiting reads are told; the files go in the background. Not while a delivery
// stream reads it: what it has not delivered yet would be lost. Nor while a delivery that is not done has dead letters
// in it.
#include <fmt/format.h>

#include "broker/api/native/handlers/messages.h"
#include "broker/log.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {
namespace {

Status Held(const std::string& stream, const Holder& holder) {
  if (holder.reason == HoldReason::kDeadLetters) {
    return Status(Code::kFailedPrecondition,
                  fmt::format("dead-letter stream '{0}' is in use by a delivery of '{1}' that is not done: it appends "
                              "dead letters to it, or delivers some of it again; wait until it is done ('sluice "
                              "delivery describe {1}' says what it waits for), or delete the delivery stream first",
                              stream, holder.name));
  }
  return Status(Code::kFailedPrecondition,
                fmt::format("stream '{}' feeds delivery stream '{}', which would lose what it has not delivered; "
                            "delete the delivery stream first",
                            stream, holder.name));
}

}  // namespace

Result<std::string> HandleDeleteStream(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::DeleteStreamRequest>(control);
  if (!request) return Error(request.error());
  const auto found = context.catalog.Find(request->name());
  if (!found) return Error(found.error());
  if (const auto holder = context.holds.HolderOf((*found)->id)) return Error(Held(request->name(), *holder));
  const auto stream = context.catalog.Delete(request->name());
  if (!stream) return Error(stream.error());
  log::Info("stream deleted", {{"stream", (*stream)->name}, {"id", (*stream)->id.value}});
  context.shards.ForgetStream(*stream);
  return ::sluice::native::Empty().SerializeAsString();
}

}  // namespace sluice::broker::native
