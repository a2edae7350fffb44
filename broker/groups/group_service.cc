// The service's life, finding groups, and the calls of members: find the group, look at its stream, change, store,
// answer. What people call is in group_admin.cc.
#include "broker/groups/group_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <stop_token>
#include <utility>

#include "broker/groups/group_places.h"
#include "broker/groups/managed_group.h"
#include "broker/log.h"
#include "protocol/ascii.h"
#include "protocol/suggest.h"

namespace sluice::broker::groups {
namespace {

constexpr std::int64_t kPassMs = 250;
constexpr std::int64_t kGapMs = 2'000;            // between two passes: then the broker itself was not there
constexpr std::uint64_t kPassesPerLook = 20;      // how often retention is looked at
constexpr std::int64_t kHeartbeatMsMax = 1'000;   // so soon a member hears of a change
constexpr std::int64_t kHeartbeatMovingMs = 100;  // while shards are on their way
constexpr std::size_t kNameBytesMax = 128;

Status NoGroup(std::string_view stream, std::string_view group, const std::vector<std::string>& names) {
  const std::string_view shown = group.substr(0, kNameBytesMax);
  return {Code::kNotFound,
          fmt::format("stream '{}' has no consumer group '{}'{}", stream, shown, protocol::DidYouMean(shown, names))};
}

Status CheckTimeouts(const MemberInfo& info) {
  if (info.session_timeout_ms < GroupService::kSessionMsMin || info.session_timeout_ms > GroupService::kTimeoutMsMax) {
    return {Code::kInvalidArgument, fmt::format("a session timeout is {} ms to one hour, not {} ms",
                                                GroupService::kSessionMsMin, info.session_timeout_ms)};
  }
  if (info.release_timeout_ms < 0 || info.release_timeout_ms > GroupService::kTimeoutMsMax) {
    return {Code::kInvalidArgument,
            fmt::format("a release timeout is 0 ms to one hour, not {} ms", info.release_timeout_ms)};
  }
  return {};
}

bool IsMemberNameByte(char c) { return c > ' ' && c <= '~'; }

}  // namespace

Status ValidateGroupName(std::string_view name) {
  const auto is_name_byte = [](char c) { return protocol::IsLetterOrDigit(c) || c == '_' || c == '.' || c == '-'; };
  if (!name.empty() && name.size() <= kNameBytesMax && std::ranges::all_of(name, is_name_byte)) return {};
  return {Code::kInvalidArgument, fmt::format("a consumer group's name has 1 to {} characters, of a-z, A-Z, 0-9, '_', "
                                              "'.' and '-'",
                                              kNameBytesMax)};
}

Result<std::unique_ptr<GroupService>> GroupService::Open(const GroupParts& parts) {
  std::unique_ptr<GroupService> service(new GroupService(parts));
  if (Status status = service->Load(); !status.ok()) return Error(status.WithContext("reading the consumer groups"));
  return service;
}

GroupService::~GroupService() { Stop(); }

Status GroupService::Load() {
  last_pass_ms_ = NowMs();
  const auto ids = store_.List();
  if (!ids) return ids.error();
  for (const GroupId& id : *ids) {
    if (!parts_.catalog.Find(id.stream)) {
      if (Status status = store_.Delete(id); !status.ok()) return status;
      continue;
    }
    const auto group = std::make_shared<Group>(id);
    const std::lock_guard group_lock(group->mutex);
    if (Status status = Prepare(*group); !status.ok()) return status;
    if (Status status = Store(*group); !status.ok()) return status;
    const std::lock_guard lock(mutex_);
    groups_[id] = group;
  }
  return {};
}

// ---- the thread -----------------------------------------------------------------------------------------------------

void GroupService::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void GroupService::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void GroupService::Run(const std::stop_token& stop) {
  std::mutex mutex;  // for the pause only
  std::condition_variable_any pause;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex);
      pause.wait_for(lock, stop, std::chrono::milliseconds(kPassMs), [] { return false; });
    }
    if (!stop.stop_requested()) RunOnce();
  }
}

void GroupService::RunOnce() {
  const std::int64_t now_ms = NowMs();
  const std::int64_t passed_ms = now_ms - std::exchange(last_pass_ms_, now_ms);
  ++passes_;
  for (const GroupPtr& group : All()) {
    if (!parts_.catalog.Find(group->id.stream)) {
      Drop(group);
    } else {
      Pass(group, passed_ms > kGapMs ? passed_ms - kPassMs : 0);
    }
  }
}

void GroupService::Pass(const GroupPtr& group, std::int64_t gap_ms) {
  const Status passed = With(group, [&](Group& now) {
    if (passes_ % kPassesPerLook == 0) now.look = true;
    if (gap_ms > 0) now.state->GiveTime(gap_ms);
    now.state->Tick(NowMs());
    return Status();
  });
  if (passed.ok() || passed.code() == Code::kNotFound) return;
  std::uint64_t suppressed = 0;
  if (!warnings_.Allow(parts_.clock.MonotonicNs(), suppressed)) return;
  log::Warning("a consumer group could not be looked after; it is tried again",
               {{"group", group->id.name}, {"reason", passed}, {"not_logged", suppressed}});
}

// Its stream was deleted, or it was.
void GroupService::Drop(const GroupPtr& group) {
  const std::lock_guard group_lock(group->mutex);
  group->gone = true;
  if (Status status = store_.Delete(group->id); !status.ok()) {
    return log::Warning("a deleted stream's consumer group could not be removed; it is tried again",
                        {{"group", group->id.name}, {"reason", status}});
  }
  const std::lock_guard lock(mutex_);
  const auto found = groups_.find(group->id);
  if (found != groups_.end() && found->second == group) groups_.erase(found);
}

// ---- finding groups -------------------------------------------------------------------------------------------------

GroupService::GroupPtr GroupService::Known(const GroupId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = groups_.find(id);
  return found == groups_.end() ? nullptr : found->second;
}

std::vector<GroupService::GroupPtr> GroupService::All() const {
  const std::lock_guard lock(mutex_);
  std::vector<GroupPtr> all;
  all.reserve(groups_.size());
  for (const auto& [id, group] : groups_) all.push_back(group);
  return all;
}

Result<GroupService::GroupPtr> GroupService::Find(const GroupId& id) const {
  const auto stream = parts_.catalog.Find(id.stream);
  if (!stream) return Error(stream.error());
  if (auto group = Known(id)) return group;
  std::vector<std::string> names;
  for (const GroupPtr& other : All()) {
    if (other->id.stream == id.stream) names.push_back(other->id.name);
  }
  return Error(NoGroup((*stream)->name, id.name, names));
}

Result<GroupService::GroupPtr> GroupService::FindNamed(std::string_view stream, std::string_view group) const {
  const auto found = parts_.catalog.Find(stream);
  if (!found) return Error(found.error());
  return Find({(*found)->id, std::string(group)});
}

Status GroupService::CheckRoom(StreamId stream) const {
  const std::lock_guard lock(mutex_);
  const auto count = std::ranges::count_if(groups_, [&](const auto& known) { return known.first.stream == stream; });
  if (static_cast<std::size_t>(count) < kGroupsMax) return {};
  return {Code::kResourceExhausted,
          fmt::format("the stream has {} consumer groups already; delete one that is not used", kGroupsMax)};
}

Result<GroupService::GroupPtr> GroupService::FindOrCreate(const JoinRequest& request, const StreamPtr& stream) {
  const GroupId id{stream->id, std::string(request.group)};
  if (!request.start) return Find(id);
  if (auto known = Known(id)) return known;
  const std::lock_guard create_lock(create_mutex_);
  if (auto known = Known(id)) return known;
  if (Status room = CheckRoom(stream->id); !room.ok()) return Error(room);
  GroupState::Shards shards;
  for (const ShardInfo& shard : stream->all_shards) {
    const auto log = parts_.store.OpenShard({stream->id, shard.shard});
    const auto next = OffsetOf(*log, *request.start);
    if (!next) return Error(next.error());
    shards[shard.shard].next = *next;
  }
  const GroupInfo info{.created_ms = parts_.clock.WallMs(), .start = *request.start};
  if (Status status = store_.Create(id, info, shards); !status.ok()) return Error(status);
  log::Info("consumer group created", {{"stream", stream->name}, {"group", id.name}});
  auto group = std::make_shared<Group>(id);
  const std::lock_guard lock(mutex_);
  groups_[id] = group;
  return group;
}

// ---- one group ------------------------------------------------------------------------------------------------------

// With its mutex held: the group is in memory, and knows its stream as it is.
Status GroupService::Prepare(Group& group) {
  const auto stream = parts_.catalog.Find(group.id.stream);
  if (!stream) return stream.error();
  const std::int64_t now_ms = NowMs();
  bool look = std::exchange(group.look, false);
  if (!group.state) {
    auto loaded = store_.Load(group.id);
    if (!loaded) return loaded.error();
    group.info = loaded->info;
    group.state.emplace(std::move(loaded->members), std::move(loaded->shards), now_ms, parts_.random.Next());
    look = true;
  }
  if (!look && group.stream == *stream) return {};
  group.stream = *stream;
  group.state->SetShards(FactsOf(**stream, parts_.store), now_ms);
  std::erase_if(group.ages, [&](const auto& age) { return (*stream)->FindShard(age.first) == nullptr; });
  return {};
}

Status GroupService::Store(Group& group) {
  const GroupChanges changes = group.state->TakeChanges();
  Status status = store_.Commit(group.id, group.info, changes);
  if (status.ok()) return {};
  group.state.reset();
  if (status.code() != Code::kFenced) return status;
  return {Code::kUnavailable, "the consumer group was changed by another broker; try again"};
}

// ---- members --------------------------------------------------------------------------------------------------------

Status GroupService::CheckJoin(const JoinRequest& request) const {
  if (Status name = ValidateGroupName(request.group); !name.ok()) return name;
  if (request.member == MemberId(0)) return {Code::kInvalidArgument, "a member's id cannot be 0"};
  const std::string& name = request.info.name;
  if (name.empty() || name.size() > kMemberNameBytesMax || !std::ranges::all_of(name, IsMemberNameByte)) {
    return {Code::kInvalidArgument,
            fmt::format("a member's name has 1 to {} printable characters, no spaces", kMemberNameBytesMax)};
  }
  return CheckTimeouts(request.info);
}

Result<Assignment> GroupService::Join(const JoinRequest& request) {
  if (Status valid = CheckJoin(request); !valid.ok()) return Error(valid);
  const auto stream = parts_.catalog.Find(request.stream);
  if (!stream) return Error(stream.error());
  const auto group = FindOrCreate(request, *stream);
  if (!group) return Error(group.error());
  return With(*group, [&](Group& now) -> Result<Assignment> {
    const GroupState::Member* const known = now.state->FindMember(request.member);
    if (known == nullptr && now.state->members().size() >= kMembersMax) {
      return Error(Code::kResourceExhausted, fmt::format("consumer group '{}' of stream '{}' has {} members already",
                                                         request.group, request.stream, kMembersMax));
    }
    MemberInfo info = request.info;
    info.joined_ms = known != nullptr ? known->info.joined_ms : parts_.clock.WallMs();
    now.state->Join(request.member, std::move(info), NowMs());
    return AssignmentOf(now, request.member, 0);
  });
}

Result<Assignment> GroupService::Heartbeat(const MemberRef& member, std::uint64_t version) {
  const auto group = Find({member.stream, std::string(member.group)});
  if (!group) return Error(group.error());
  return With(*group, [&](Group& now) -> Result<Assignment> {
    if (Status heard = now.state->Heartbeat(member.member, NowMs()); !heard.ok()) return Error(heard);
    return AssignmentOf(now, member.member, version);
  });
}

Assignment GroupService::AssignmentOf(const Group& group, MemberId member, std::uint64_t known_version) const {
  const GroupState::Member& now = *group.state->FindMember(member);
  const std::int64_t steady_ms = std::min(kHeartbeatMsMax, now.info.session_timeout_ms / 3);
  Assignment assignment{.stream = group.id.stream,
                        .version = now.version,
                        .leases = std::nullopt,
                        .heartbeat_ms = group.state->moving() ? std::min(kHeartbeatMovingMs, steady_ms) : steady_ms};
  if (now.version != known_version) assignment.leases = group.state->LeasesOf(member);
  return assignment;
}

Result<std::vector<ShardIndex>> GroupService::Commit(const MemberRef& member,
                                                     const std::vector<Checkpoint>& checkpoints) {
  const auto group = Find({member.stream, std::string(member.group)});
  if (!group) return Error(group.error());
  return With(*group, [&](Group& now) { return CommitTo(now, member.member, checkpoints); });
}

Result<std::vector<ShardIndex>> GroupService::CommitTo(Group& group, MemberId member,
                                                       const std::vector<Checkpoint>& checkpoints) {
  for (const Checkpoint& checkpoint : checkpoints) {
    if (group.stream->FindShard(checkpoint.shard) == nullptr) continue;
    const auto log = parts_.store.OpenShard({group.id.stream, checkpoint.shard});
    group.state->SetEnds(checkpoint.shard, log->oldest(), log->durable_end());
  }
  return group.state->Commit(member, checkpoints, NowMs());
}

Status GroupService::Leave(const MemberRef& member) {
  const auto group = Find({member.stream, std::string(member.group)});
  if (!group) return group.error();
  return With(*group, [&](Group& now) {
    now.state->Leave(member.member, NowMs());
    return Status();
  });
}

}  // namespace sluice::broker::groups
