// Groups as people see them: describe, list, delete, reset.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/groups/group_places.h"
#include "broker/groups/managed_group.h"
#include "broker/log.h"

namespace sluice::broker::groups {

ShardDescription GroupService::ShardOf(Group& group, const GroupState::Shard& shard) {
  const ShardIndex index = shard.facts.shard;
  const auto log = parts_.store.OpenShard({group.id.stream, index});
  ShardDescription described;
  described.shard = index;
  described.progress = shard.progress;
  described.created_ms = group.stream->FindShard(index)->created_ms;
  described.oldest = log->oldest();
  described.end = log->durable_end();
  described.closed = shard.facts.closed;
  described.finished = shard.finished();
  described.waits_for_parents = !shard.finished() && !group.state->CanBeRead(shard);
  described.asked_back = shard.asked_back_ms.has_value();
  const Offset next = std::max(shard.progress.next, described.oldest);
  if (next >= described.end) return described;
  described.lag_records = described.end - next;
  Group::SeenAge& age = group.ages[index];
  if (!age.append_ms || age.next != next) age = {next, AppendTimeMs(*log, next)};
  described.next_append_ms = age.append_ms;
  return described;
}

GroupDescription GroupService::DescriptionOf(Group& group) {
  GroupDescription description{.stream = group.stream,
                               .name = group.id.name,
                               .info = group.info,
                               .members = {},
                               .shards = {},
                               .counts = group.state->counts()};
  std::map<MemberId, std::size_t> held;
  for (const auto& [index, shard] : group.state->shards()) {
    description.shards.push_back(ShardOf(group, shard));
    if (shard.leased()) ++held[shard.progress.holder];
  }
  const std::int64_t now_ms = NowMs();
  for (const auto& [id, member] : group.state->members()) {
    description.members.push_back({.id = id,
                                   .info = member.info,
                                   .heard_ms_ago = std::max<std::int64_t>(0, now_ms - member.heard_ms),
                                   .shards = held[id]});
  }
  return description;
}

Result<GroupDescription> GroupService::Describe(std::string_view stream, std::string_view group) {
  const auto found = FindNamed(stream, group);
  if (!found) return Error(found.error());
  return With(*found, [&](Group& now) -> Result<GroupDescription> { return DescriptionOf(now); });
}

Result<std::vector<GroupDescription>> GroupService::List(std::string_view stream) {
  std::optional<StreamId> only;
  if (!stream.empty()) {
    const auto found = parts_.catalog.Find(stream);
    if (!found) return Error(found.error());
    only = (*found)->id;
  }
  std::vector<GroupDescription> all;
  for (const GroupPtr& group : All()) {
    if (only && group->id.stream != *only) continue;
    auto described = With(group, [&](Group& now) -> Result<GroupDescription> { return DescriptionOf(now); });
    if (!described && described.error().code() == Code::kNotFound) continue;  // deleted meanwhile
    if (!described) return Error(described.error());
    if (!described->stream->hidden) all.push_back(std::move(*described));
  }
  const auto by_name = [](const GroupDescription& group) { return std::pair(group.stream->name, group.name); };
  std::ranges::sort(all, {}, by_name);
  return all;
}

Status GroupService::Delete(std::string_view stream, std::string_view group) {
  const auto found = FindNamed(stream, group);
  if (!found) return found.error();
  const Status deleted = With(*found, [&](Group& now) {
    if (!now.state->members().empty()) {
      return Status(Code::kFailedPrecondition,
                    fmt::format("consumer group '{}' of stream '{}' has {} members; stop them first", group, stream,
                                now.state->members().size()));
    }
    if (Status status = store_.Delete(now.id); !status.ok()) return status;
    now.gone = true;
    (void)now.state->TakeChanges();
    return Status();
  });
  if (!deleted.ok()) return deleted;
  log::Info("consumer group deleted", {{"stream", std::string(stream)}, {"group", std::string(group)}});
  const std::lock_guard lock(mutex_);
  const auto known = groups_.find((*found)->id);
  if (known != groups_.end() && known->second == *found) groups_.erase(known);
  return {};
}

Result<GroupDescription> GroupService::Reset(const ResetRequest& request) {
  if (request.offset && !request.shard) {
    return Error(Code::kInvalidArgument, "an offset belongs to one shard: name it");
  }
  const auto found = FindNamed(request.stream, request.group);
  if (!found) return Error(found.error());
  return With(*found, [&](Group& now) -> Result<GroupDescription> {
    if (Status reset = ResetShards(now, request); !reset.ok()) return Error(reset);
    return DescriptionOf(now);
  });
}

Status GroupService::ResetShards(Group& group, const ResetRequest& request) {
  if (!group.state->members().empty()) {
    return {Code::kFailedPrecondition, fmt::format("consumer group '{}' of stream '{}' has {} members; stop them first",
                                                   request.group, request.stream, group.state->members().size())};
  }
  if (request.shard) {
    if (Status there = CheckShard(*group.stream, *request.shard); !there.ok()) return there;
  }
  std::map<ShardIndex, Offset> places;
  for (const ShardInfo& shard : group.stream->all_shards) {
    if (request.shard && shard.shard != *request.shard) continue;
    const auto log = parts_.store.OpenShard({group.id.stream, shard.shard});
    const auto next = request.offset ? *request.offset : OffsetOf(*log, request.start);
    if (!next) return next.error();
    if (*next < log->oldest() || *next > log->durable_end()) {
      return {Code::kOutOfRange, fmt::format("offset {} is not in shard {}, which has {} to {}", next->value,
                                             shard.shard.value, log->oldest().value, log->durable_end().value)};
    }
    places[shard.shard] = *next;
  }
  for (const auto& [shard, next] : places) group.state->Reset(shard, next);
  return {};
}

}  // namespace sluice::broker::groups
