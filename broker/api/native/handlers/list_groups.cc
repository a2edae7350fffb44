// ListGroups: the groups of one stream or of all, and how far they are.
#include "broker/api/native/handlers/group_messages.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleListGroups(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::ListGroupsRequest>(control);
  if (!request) return Error(request.error());
  const auto list = context.groups.List(request->stream());
  if (!list) return Error(list.error());
  ::sluice::native::ListGroupsResponse answer;
  for (const groups::GroupDescription& group : *list) ToSummary(group, *answer.add_groups());
  return answer.SerializeAsString();
}

}  // namespace sluice::broker::native
