// JoinGroup: a member comes in, or changes its settings, and gets its shards.
#include "broker/api/native/handlers/group_messages.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleJoinGroup(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::JoinGroupRequest>(control);
  if (!request) return Error(request.error());
  groups::JoinRequest join{.stream = request->stream(),
                           .group = request->group(),
                           .member = groups::MemberId(request->member_id()),
                           .info = {.name = request->member_name(),
                                    .session_timeout_ms = request->session_timeout_ms(),
                                    .release_timeout_ms = request->release_timeout_ms()},
                           .start = std::nullopt};
  if (request->has_start()) {
    join.start = StartOf(request->start());
    if (!join.start) {
      return Error(Code::kInvalidArgument, "a consumer group begins at the oldest record, the latest, or a time");
    }
  }
  const auto assignment = context.groups.Join(join);
  if (!assignment) return Error(assignment.error());
  return AnswerOf(*assignment);
}

}  // namespace sluice::broker::native
