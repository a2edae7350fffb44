// Assignments and descriptions of groups as messages.
#include "broker/api/native/handlers/group_messages.h"

#include <algorithm>

#include "protocol/native/native.pb.h"
#include "protocol/sequence_number.h"

namespace sluice::broker::native {
namespace {

namespace pb = ::sluice::native;
using groups::GroupStart;

pb::GroupShardInfo::State StateOf(const groups::ShardDescription& shard) {
  if (shard.finished) return pb::GroupShardInfo::FINISHED;
  if (shard.asked_back) return pb::GroupShardInfo::ASKED_BACK;
  if (shard.progress.holder != groups::MemberId(0)) return pb::GroupShardInfo::LEASED;
  return shard.waits_for_parents ? pb::GroupShardInfo::WAITS_FOR_PARENTS : pb::GroupShardInfo::FREE;
}

void ToMessage(const groups::ShardDescription& shard, std::int64_t now_ms, pb::GroupShardInfo& out) {
  const std::int64_t next_append_ms = shard.next_append_ms.value_or(0);
  out.set_shard(shard.shard.value);
  out.set_state(StateOf(shard));
  out.set_next_offset(shard.progress.next.value);
  out.set_sequence_number(protocol::ToDecimal({.shard_created_s = shard.created_ms / 1'000,
                                               .shard = shard.shard,
                                               .offset = shard.progress.next,
                                               .record_time_s = next_append_ms / 1'000}));
  out.set_end_offset(shard.end.value);
  out.set_lag_records(shard.lag_records);
  if (next_append_ms != 0) out.set_lag_ms(std::max<std::int64_t>(0, now_ms - next_append_ms));
  out.set_missed_records(shard.progress.missed);
  out.set_member_id(shard.progress.holder.value);
  out.set_epoch(shard.progress.epoch);
}

void ToMessage(const GroupStart& start, pb::GroupPosition& out) {
  switch (start.kind) {
    case GroupStart::Kind::kOldest:
      return out.set_oldest(true);
    case GroupStart::Kind::kLatest:
      return out.set_latest(true);
    case GroupStart::Kind::kTime:
      return out.set_time_ms(start.time_ms);
  }
}

}  // namespace

std::optional<GroupStart> StartOf(const pb::GroupPosition& message) {
  switch (message.at_case()) {
    case pb::GroupPosition::kOldest:
      return GroupStart{GroupStart::Kind::kOldest, 0};
    case pb::GroupPosition::kLatest:
      return GroupStart{GroupStart::Kind::kLatest, 0};
    case pb::GroupPosition::kTimeMs:
      return GroupStart{GroupStart::Kind::kTime, message.time_ms()};
    case pb::GroupPosition::kOffset:
    case pb::GroupPosition::AT_NOT_SET:
      break;
  }
  return std::nullopt;
}

std::string AnswerOf(const groups::Assignment& assignment) {
  pb::GroupAssignment answer;
  answer.set_stream_id(assignment.stream.value);
  answer.set_version(assignment.version);
  answer.set_unchanged(!assignment.leases);
  answer.set_heartbeat_ms(static_cast<std::uint32_t>(assignment.heartbeat_ms));
  if (!assignment.leases) return answer.SerializeAsString();
  for (const groups::Lease& lease : *assignment.leases) {
    pb::GroupLease& out = *answer.add_leases();
    out.set_shard(lease.shard.value);
    out.set_epoch(lease.epoch);
    out.set_next_offset(lease.next.value);
    out.set_asked_back(lease.asked_back);
  }
  return answer.SerializeAsString();
}

void ToSummary(const groups::GroupDescription& group, pb::GroupInfo& out) {
  out.set_stream(group.stream->name);
  out.set_stream_id(group.stream->id.value);
  out.set_group(group.name);
  out.set_created_ms(group.info.created_ms);
  ToMessage(group.info.start, *out.mutable_start());
  out.set_member_count(static_cast<std::uint32_t>(group.members.size()));
  std::uint64_t lag = 0;
  std::uint64_t missed = 0;
  for (const groups::ShardDescription& shard : group.shards) {
    lag += shard.lag_records;
    missed += shard.progress.missed;
  }
  out.set_lag_records(lag);
  out.set_missed_records(missed);
}

std::string AnswerOf(const groups::GroupDescription& group, std::int64_t now_ms) {
  pb::GroupInfo answer;
  ToSummary(group, answer);
  for (const groups::MemberDescription& member : group.members) {
    pb::GroupMemberInfo& out = *answer.add_members();
    out.set_member_id(member.id.value);
    out.set_name(member.info.name);
    out.set_joined_ms(member.info.joined_ms);
    out.set_heard_ms_ago(member.heard_ms_ago);
    out.set_shards(static_cast<std::uint32_t>(member.shards));
    out.set_session_timeout_ms(member.info.session_timeout_ms);
  }
  for (const groups::ShardDescription& shard : group.shards) ToMessage(shard, now_ms, *answer.add_shards());
  if (answer.ByteSizeLong() > protocol::wire::kControlBytesMax) {
    for (pb::GroupShardInfo& shard : *answer.mutable_shards()) shard.clear_sequence_number();
  }
  return answer.SerializeAsString();
}

}  // namespace sluice::broker::native
