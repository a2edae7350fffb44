// DeleteGroup: a group without members goes, with its checkpoints.
#include "broker/api/native/handlers/group_messages.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleDeleteGroup(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::DeleteGroupRequest>(control);
  if (!request) return Error(request.error());
  if (Status status = context.groups.Delete(request->stream(), request->group()); !status.ok()) {
    return Error(std::move(status));
  }
  return ::sluice::native::Empty().SerializeAsString();
}

}  // namespace sluice::broker::native
