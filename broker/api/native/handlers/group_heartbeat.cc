// GroupHeartbeat: a member is there, and hears what has changed.
#include "broker/api/native/handlers/group_messages.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleGroupHeartbeat(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::GroupHeartbeatRequest>(control);
  if (!request) return Error(request.error());
  const groups::MemberRef member{StreamId(request->stream_id()), request->group(),
                                 groups::MemberId(request->member_id())};
  const auto assignment = context.groups.Heartbeat(member, request->version());
  if (!assignment) return Error(assignment.error());
  return AnswerOf(*assignment);
}

}  // namespace sluice::broker::native
