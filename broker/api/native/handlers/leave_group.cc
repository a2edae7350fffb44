// LeaveGroup: a member goes, and its shards go to others at once.
#include "broker/api/native/handlers/group_messages.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleLeaveGroup(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::LeaveGroupRequest>(control);
  if (!request) return Error(request.error());
  const groups::MemberRef member{StreamId(request->stream_id()), request->group(),
                                 groups::MemberId(request->member_id())};
  if (Status status = context.groups.Leave(member); !status.ok()) return Error(std::move(status));
  return ::sluice::native::Empty().SerializeAsString();
}

}  // namespace sluice::broker::native
