// Every call changes what it is about, spreads the shards anew where that may be needed, and leaves the invariants
// true.
#include "broker/groups/group_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/check.h"

namespace sluice::broker::groups {

GroupState::GroupState(Members members, Shards shards, std::int64_t now_ms, std::uint64_t version_seed)
    : version_(version_seed) {
  for (auto& [id, info] : members) {
    members_[id] = {.info = std::move(info), .heard_ms = now_ms, .version = ++version_};
  }
  for (const auto& [index, progress] : shards) {
    Shard& shard = shards_[index];
    shard.progress = progress;
    shard.facts.shard = index;
    shard.stored = true;
    if (shard.leased() && !members_.contains(progress.holder)) Free(shard);
  }
}

void GroupState::SetShards(std::span<const ShardFacts> shards, std::int64_t now_ms) {
  for (auto known = shards_.begin(); known != shards_.end();) {
    if (std::ranges::binary_search(shards, known->first, {}, &ShardFacts::shard)) {
      ++known;
      continue;
    }
    Change(known->second);
    Free(known->second);
    known = shards_.erase(known);
  }
  for (const ShardFacts& facts : shards) {
    shards_[facts.shard].facts = facts;
  }
  Rebalance(now_ms);
}

void GroupState::SetEnds(ShardIndex shard, Offset oldest, Offset end) {
  const auto found = shards_.find(shard);
  if (found == shards_.end()) return;
  found->second.facts.oldest = oldest;
  found->second.facts.end = end;
}

void GroupState::Join(MemberId id, MemberInfo info, std::int64_t now_ms) {
  SLUICE_CHECK(id != MemberId(0));
  NoteMember(id);
  Member& member = members_[id];
  if (member.version == 0) member.version = ++version_;
  member.info = std::move(info);
  member.heard_ms = now_ms;
  Rebalance(now_ms);
}

Status GroupState::Heartbeat(MemberId id, std::int64_t now_ms) {
  const auto member = members_.find(id);
  if (member == members_.end()) {
    return {Code::kFenced, "the group does not have this member, or not any more; it has to join again"};
  }
  member->second.heard_ms = std::max(member->second.heard_ms, now_ms);
  return {};
}

void GroupState::Leave(MemberId id, std::int64_t now_ms) {
  const auto member = members_.find(id);
  if (member == members_.end()) return;
  Remove(member);
  Rebalance(now_ms);
}

Result<std::vector<ShardIndex>> GroupState::Commit(MemberId id, std::span<const Checkpoint> checkpoints,
                                                   std::int64_t now_ms) {
  std::vector<ShardIndex> fenced;
  for (const Checkpoint& checkpoint : checkpoints) {
    const auto shard = shards_.find(checkpoint.shard);
    if (shard == shards_.end() || !IsOf(id, checkpoint, shard->second)) {
      fenced.push_back(checkpoint.shard);
    } else if (checkpoint.next > shard->second.facts.end) {
      return Error(Code::kOutOfRange,
                   fmt::format("a checkpoint of shard {} at offset {} lies behind its end, {}", checkpoint.shard.value,
                               checkpoint.next.value, shard->second.facts.end.value));
    }
  }
  bool freed = false;
  for (const Checkpoint& checkpoint : checkpoints) {
    const auto shard = shards_.find(checkpoint.shard);
    if (shard == shards_.end() || !IsOf(id, checkpoint, shard->second)) continue;
    if (!shard->second.leased()) continue;  // sent again, or named twice
    Take(shard->second, checkpoint);
    freed |= !shard->second.leased();
  }
  counts_.fenced += fenced.size();
  if (freed) Rebalance(now_ms);
  return fenced;
}

// Also where the checkpoint was taken before, and ended the lease: its answer may have been lost.
bool GroupState::IsOf(MemberId id, const Checkpoint& checkpoint, const Shard& shard) {
  if (shard.progress.epoch != checkpoint.epoch || checkpoint.epoch == 0) return false;
  if (shard.leased()) return shard.progress.holder == id;
  return checkpoint.next <= shard.progress.next;
}

// One that does not move it on counts nothing: it may have been sent again.
void GroupState::Take(Shard& shard, const Checkpoint& checkpoint) {
  if (checkpoint.next > shard.progress.next) {
    ShardProgress& progress = Change(shard);
    progress.next = checkpoint.next;
    progress.missed += checkpoint.missed;
  }
  ++counts_.checkpoints;
  if (checkpoint.release || shard.finished()) Free(shard);
}

void GroupState::Tick(std::int64_t now_ms) {
  bool freed = false;
  for (auto member = members_.begin(); member != members_.end();) {
    const auto at = member++;
    if (now_ms - at->second.heard_ms <= at->second.info.session_timeout_ms) continue;
    Remove(at);
    ++counts_.members_expired;
    freed = true;
  }
  if (asked_back_ > 0) {
    for (auto& [index, shard] : shards_) {
      if (!shard.asked_back_ms) continue;
      const Member& holder = members_.at(shard.progress.holder);
      if (now_ms - *shard.asked_back_ms <= holder.info.release_timeout_ms) continue;
      Free(shard);
      freed = true;
    }
  }
  if (freed) Rebalance(now_ms);
}

void GroupState::GiveTime(std::int64_t ms) {
  for (auto& [id, member] : members_) member.heard_ms += ms;
  for (auto& [index, shard] : shards_) {
    if (shard.asked_back_ms) *shard.asked_back_ms += ms;
  }
}

void GroupState::Reset(ShardIndex shard, Offset next) {
  SLUICE_CHECK(members_.empty());
  ShardProgress& progress = Change(shards_.at(shard));
  progress.next = next;
  progress.missed = 0;
}

std::vector<Lease> GroupState::LeasesOf(MemberId id) const {
  std::vector<Lease> leases;
  for (const auto& [index, shard] : shards_) {
    if (shard.progress.holder != id) continue;
    leases.push_back({.shard = index,
                      .epoch = shard.progress.epoch,
                      .next = shard.progress.next,
                      .asked_back = shard.asked_back_ms.has_value()});
  }
  return leases;
}

const GroupState::Member* GroupState::FindMember(MemberId id) const {
  const auto found = members_.find(id);
  return found == members_.end() ? nullptr : &found->second;
}

// Parents that the stream has forgotten are over: their records are gone.
bool GroupState::CanBeRead(const Shard& shard) const {
  if (shard.finished()) return false;
  return std::ranges::all_of(shard.facts.parents, [this](ShardIndex parent) {
    const auto found = shards_.find(parent);
    return found == shards_.end() || found->second.finished();
  });
}

GroupChanges GroupState::TakeChanges() {
  GroupChanges changes;
  for (auto& [index, before] : std::exchange(shards_before_, {})) {
    const auto now = shards_.find(index);
    std::optional<ShardProgress> after;
    if (now != shards_.end()) after = now->second.progress;
    if (before == after) continue;
    if (now != shards_.end()) now->second.stored = true;
    changes.shards.push_back({index, before, after});
  }
  for (auto& [id, before] : std::exchange(members_before_, {})) {
    const auto now = members_.find(id);
    std::optional<MemberInfo> after;
    if (now != members_.end()) after = now->second.info;
    if (before != after) changes.members.push_back({id, std::move(before), std::move(after)});
  }
  return changes;
}

// Notes what is stored before the first change of it.
ShardProgress& GroupState::Change(Shard& shard) {
  shards_before_.try_emplace(shard.facts.shard,
                             shard.stored ? std::optional<ShardProgress>(shard.progress) : std::nullopt);
  return shard.progress;
}

void GroupState::NoteMember(MemberId id) {
  const auto found = members_.find(id);
  members_before_.try_emplace(id,
                              found == members_.end() ? std::nullopt : std::optional<MemberInfo>(found->second.info));
}

void GroupState::Free(Shard& shard) {
  if (!shard.leased()) return;
  SetAskedBack(shard, std::nullopt);
  Bump(shard.progress.holder);
  Change(shard).holder = MemberId(0);
}

void GroupState::Remove(std::map<MemberId, Member>::iterator member) {
  NoteMember(member->first);
  for (auto& [index, shard] : shards_) {
    if (shard.progress.holder == member->first) Free(shard);
  }
  members_.erase(member);
}

// Never silently: what was not processed is counted.
void GroupState::PassOverRemoved(Shard& shard) {
  if (shard.progress.next >= shard.facts.oldest) return;
  ShardProgress& progress = Change(shard);
  progress.missed += shard.facts.oldest - progress.next;
  progress.next = shard.facts.oldest;
}

void GroupState::Rebalance(std::int64_t now_ms) {
  // First what is finished: what was read to its end before it was closed, and what retention has taken the rest of.
  for (auto& [index, shard] : shards_) {
    if (shard.leased() && shard.finished()) Free(shard);
    if (!shard.leased()) PassOverRemoved(shard);
  }
  if (members_.empty()) return;
  std::vector<MemberId> ids;
  ids.reserve(members_.size());
  for (const auto& [id, member] : members_) ids.push_back(id);
  const std::vector<HeldShard> shards = ShardsToRead();
  const std::vector<MemberId> targets = Assign(ids, shards);
  bool moved = false;
  for (std::size_t i = 0; i < shards.size(); ++i) moved |= Apply(shards[i], targets[i], now_ms);
  if (moved) ++counts_.rebalances;
  CheckInvariants();
}

std::vector<HeldShard> GroupState::ShardsToRead() const {
  std::vector<HeldShard> shards;
  for (const auto& [index, shard] : shards_) {
    if (!shard.leased() && !CanBeRead(shard)) continue;
    shards.push_back({.shard = index, .holder = shard.progress.holder, .asked_back = shard.asked_back_ms.has_value()});
  }
  return shards;
}

// True where the shard has a new holder.
bool GroupState::Apply(const HeldShard& held, MemberId target, std::int64_t now_ms) {
  Shard& shard = shards_.at(held.shard);
  if (held.holder == target) {
    SetAskedBack(shard, std::nullopt);
    return false;
  }
  if (held.holder != MemberId(0)) {
    if (!shard.asked_back_ms) SetAskedBack(shard, now_ms);
    return false;
  }
  ShardProgress& progress = Change(shard);
  ++progress.epoch;
  progress.holder = target;
  Bump(target);
  return true;
}

void GroupState::SetAskedBack(Shard& shard, std::optional<std::int64_t> at_ms) {
  if (shard.asked_back_ms.has_value() != at_ms.has_value()) {
    asked_back_ += at_ms ? 1 : -1;
    Bump(shard.progress.holder);
  }
  shard.asked_back_ms = at_ms;
}

void GroupState::Bump(MemberId id) {
  const auto member = members_.find(id);
  if (member != members_.end()) member->second.version = ++version_;
}

void GroupState::CheckInvariants() const {
#ifndef NDEBUG
  std::size_t asked_back = 0;
  for (const auto& [index, shard] : shards_) {
    SLUICE_CHECK(shard.facts.shard == index);
    if (shard.leased()) SLUICE_CHECK(members_.contains(shard.progress.holder) && shard.progress.epoch > 0);
    SLUICE_CHECK(shard.leased() == CanBeRead(shard) || members_.empty());
    SLUICE_CHECK(shard.leased() || !shard.asked_back_ms);
    if (shard.asked_back_ms) ++asked_back;
  }
  SLUICE_CHECK(asked_back == asked_back_);
#endif
}

}  // namespace sluice::broker::groups
