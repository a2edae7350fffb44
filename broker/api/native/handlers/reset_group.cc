// ResetGroup: a group without members reads on from another place.
#include "broker/api/native/handlers/group_messages.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleResetGroup(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::ResetGroupRequest>(control);
  if (!request) return Error(request.error());
  const ::sluice::native::GroupPosition& to = request->to();
  groups::ResetRequest reset{.stream = request->stream(),
                             .group = request->group(),
                             .shard = std::nullopt,
                             .start = {},
                             .offset = std::nullopt};
  if (request->has_shard()) reset.shard = ShardIndex(request->shard());
  if (to.at_case() == ::sluice::native::GroupPosition::kOffset) {
    reset.offset = Offset(to.offset());
  } else if (const auto start = StartOf(to)) {
    reset.start = *start;
  } else {
    return Error(Code::kInvalidArgument, "the request does not say where to reset the consumer group to");
  }
  const auto group = context.groups.Reset(reset);
  if (!group) return Error(group.error());
  return AnswerOf(*group, context.clock.WallMs());
}

}  // namespace sluice::broker::native
