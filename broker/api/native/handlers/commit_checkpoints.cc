// CommitCheckpoints: how far a member has processed its shards, and which of them it gives back.
#include "broker/api/native/handlers/group_messages.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleCommitCheckpoints(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::CommitCheckpointsRequest>(control);
  if (!request) return Error(request.error());
  const groups::MemberRef member{StreamId(request->stream_id()), request->group(),
                                 groups::MemberId(request->member_id())};
  std::vector<groups::Checkpoint> checkpoints;
  checkpoints.reserve(static_cast<std::size_t>(request->checkpoints_size()));
  for (const auto& checkpoint : request->checkpoints()) {
    checkpoints.push_back({.shard = ShardIndex(checkpoint.shard()),
                           .epoch = checkpoint.epoch(),
                           .next = Offset(checkpoint.next_offset()),
                           .missed = checkpoint.missed(),
                           .release = checkpoint.release()});
  }
  const auto fenced = context.groups.Commit(member, checkpoints);
  if (!fenced) return Error(fenced.error());
  ::sluice::native::CommitCheckpointsResponse answer;
  for (const ShardIndex shard : *fenced) answer.add_fenced_shards(shard.value);
  return answer.SerializeAsString();
}

}  // namespace sluice::broker::native
