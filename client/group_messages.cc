// Field by field.
#include "client/group_messages.h"

#include "protocol/native/native.pb.h"

namespace sluice::client {
namespace {

Position PositionOf(const native::GroupPosition& position) {
  if (position.latest()) return Position::Latest();
  if (position.has_time_ms()) return Position::AtTime(position.time_ms());
  return Position::Oldest();
}

GroupMember MemberOf(const native::GroupMemberInfo& info) {
  return {.member_id = info.member_id(),
          .name = info.name(),
          .joined_ms = info.joined_ms(),
          .heard_ms_ago = info.heard_ms_ago(),
          .shards = info.shards(),
          .session_timeout = std::chrono::milliseconds(info.session_timeout_ms())};
}

GroupShard ShardOf(const native::GroupShardInfo& info) {
  static_assert(static_cast<int>(GroupShard::State::kFinished) == native::GroupShardInfo::FINISHED);
  return {.shard = info.shard(),
          .state = static_cast<GroupShard::State>(info.state()),
          .next_offset = info.next_offset(),
          .sequence_number = info.sequence_number(),
          .end_offset = info.end_offset(),
          .lag_records = info.lag_records(),
          .lag_ms = info.lag_ms(),
          .missed_records = info.missed_records(),
          .member_id = info.member_id(),
          .epoch = info.epoch()};
}

}  // namespace

GroupDescription DescriptionOf(const native::GroupInfo& info) {
  GroupDescription group{.stream = info.stream(),
                         .group = info.group(),
                         .created_ms = info.created_ms(),
                         .start = PositionOf(info.start()),
                         .member_count = info.member_count(),
                         .lag_records = info.lag_records(),
                         .missed_records = info.missed_records(),
                         .members = {},
                         .shards = {}};
  for (const native::GroupMemberInfo& member : info.members()) group.members.push_back(MemberOf(member));
  for (const native::GroupShardInfo& shard : info.shards()) group.shards.push_back(ShardOf(shard));
  return group;
}

void SetPosition(const Position& from, native::GroupPosition& to) {
  switch (from.kind) {
    case Position::Kind::kOldest:
      return to.set_oldest(true);
    case Position::Kind::kLatest:
      return to.set_latest(true);
    case Position::Kind::kOffset:
      return to.set_offset(from.offset);
    case Position::Kind::kTime:
      return to.set_time_ms(from.time_ms);
  }
}

}  // namespace sluice::client
