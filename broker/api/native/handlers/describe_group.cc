// DescribeGroup: members, and how far each shard is.
#include "broker/api/native/handlers/group_messages.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleDescribeGroup(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::DescribeGroupRequest>(control);
  if (!request) return Error(request.error());
  const auto group = context.groups.Describe(request->stream(), request->group());
  if (!group) return Error(group.error());
  return AnswerOf(*group, context.clock.WallMs());
}

}  // namespace sluice::broker::native
