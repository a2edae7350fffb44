// One consumer group: its members, and for each shard of its stream the checkpoint and the lease. The rules, without
// clock and disk: time is an argument, and what must be stored is asked for with TakeChanges.
//
// A shard's life in a group:
//
//     waits for its parents -> can be read -> leased -> (asked back ->) free -> leased .. -> finished
//
// - It can be read when all parents that the stream still has are finished; it is finished when it is closed and its
//   checkpoint stands at its end.
// - A lease is held by one member and has an epoch, which is stored with the checkpoint and grows with each lease of
//   the shard. A checkpoint of another member or epoch is refused.
// - Shards are spread evenly (assignment.h). One that is to move is asked back first; its holder commits and releases
//   it, or loses it when its time for that is over. A member that was not heard for its session timeout is removed.
//
// Members, checkpoints and leases are all stored before they are answered, so a restart knows them; a member then has
// its whole session timeout to be heard again.
//
// Threads: the caller's lock.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/groups/assignment.h"
#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::broker::groups {

/// What is stored of a member.
struct MemberInfo {
  std::string name;                     // for people
  std::int64_t session_timeout_ms = 0;  // not heard for so long, it is removed
  std::int64_t release_timeout_ms = 0;  // how long it may take to give a shard back
  std::int64_t joined_ms = 0;           // since 1970
  friend bool operator==(const MemberInfo&, const MemberInfo&) = default;
};

/// What is stored of a shard.
struct ShardProgress {
  Offset next;               // the first record that is not processed
  std::uint64_t missed = 0;  // records that retention has removed before they were processed
  std::uint64_t epoch = 0;   // of its newest lease; 0: never leased
  MemberId holder;           // of that lease, while it is in force
  friend bool operator==(const ShardProgress&, const ShardProgress&) = default;
};

/// What the stream says about a shard.
struct ShardFacts {
  ShardIndex shard;
  std::vector<ShardIndex> parents;
  bool closed = false;
  Offset oldest;
  Offset end;  // final where it is closed
};

struct Checkpoint {
  ShardIndex shard;
  std::uint64_t epoch = 0;
  Offset next;
  std::uint64_t missed = 0;  // records that the member found removed, since its last checkpoint
  bool release = false;      // the lease ends with it
};

struct Lease {
  ShardIndex shard;
  std::uint64_t epoch = 0;
  Offset next;              // where to begin
  bool asked_back = false;  // to be committed and released
};

/// What must be stored: the value before (none: there was none) and after (none: to be removed).
template <typename Key, typename Value>
struct StoredChange {
  Key key;
  std::optional<Value> before;
  std::optional<Value> after;
};
struct GroupChanges {
  std::vector<StoredChange<ShardIndex, ShardProgress>> shards;
  std::vector<StoredChange<MemberId, MemberInfo>> members;
  bool empty() const { return shards.empty() && members.empty(); }
};

class GroupState {
 public:
  using Shards = std::map<ShardIndex, ShardProgress>;
  using Members = std::map<MemberId, MemberInfo>;

  struct Member {
    MemberInfo info;
    std::int64_t heard_ms = 0;
    std::uint64_t version = 0;  // changes with its leases
  };
  struct Shard {
    ShardProgress progress;
    ShardFacts facts;
    std::optional<std::int64_t> asked_back_ms;
    bool stored = false;

    bool finished() const { return facts.closed && progress.next >= facts.end; }
    bool leased() const { return progress.holder != MemberId(0); }
  };
  struct Counts {  // since this object was made
    std::uint64_t rebalances = 0;
    std::uint64_t checkpoints = 0;
    std::uint64_t fenced = 0;
    std::uint64_t members_expired = 0;
  };

  /// As it is stored; SetShards comes next. `version_seed` should be random: versions of members begin there, and none
  /// should be one that a member has heard before a restart.
  GroupState(Members members, Shards shards, std::int64_t now_ms, std::uint64_t version_seed);

  /// The stream's shards as they are now, ascending. Those that are not among them any more are dropped; new ones begin
  /// at their oldest record. A free shard whose next record retention has removed goes on with its oldest.
  void SetShards(std::span<const ShardFacts> shards, std::int64_t now_ms);
  /// Where a shard stands, between two SetShards. Nothing for a shard that is not there.
  void SetEnds(ShardIndex shard, Offset oldest, Offset end);

  /// A member that is there already changes its settings, and keeps its leases.
  void Join(MemberId id, MemberInfo info, std::int64_t now_ms);
  /// kFenced where the group has no such member, or not any more.
  Status Heartbeat(MemberId id, std::int64_t now_ms);
  /// Its leases end. Nothing where there is no such member.
  void Leave(MemberId id, std::int64_t now_ms);
  /// Gives the shards whose lease the member does not have, or not in this epoch any more; the others are taken. One
  /// below the shard's checkpoint does not move it back; one that is sent again changes nothing. kOutOfRange, and
  /// nothing is taken, where one is behind the end of its shard.
  Result<std::vector<ShardIndex>> Commit(MemberId id, std::span<const Checkpoint> checkpoints, std::int64_t now_ms);
  /// Removes members that were not heard in time, and takes shards that were not given back in time.
  void Tick(std::int64_t now_ms);
  /// Gives all members so much more time: the broker itself was not there.
  void GiveTime(std::int64_t ms);
  /// Without members only: where the shard is read on.
  void Reset(ShardIndex shard, Offset next);

  std::vector<Lease> LeasesOf(MemberId id) const;
  /// nullptr where there is none.
  const Member* FindMember(MemberId id) const;
  const std::map<MemberId, Member>& members() const { return members_; }
  const std::map<ShardIndex, Shard>& shards() const { return shards_; }
  const Counts& counts() const { return counts_; }
  /// Whether shards have been asked back and not come yet.
  bool moving() const { return asked_back_ > 0; }
  bool CanBeRead(const Shard& shard) const;

  /// What has changed since the last call; it is stored before anything of it is told.
  GroupChanges TakeChanges();

 private:
  ShardProgress& Change(Shard& shard);
  void NoteMember(MemberId id);
  void Free(Shard& shard);
  void Remove(std::map<MemberId, Member>::iterator member);
  static bool IsOf(MemberId id, const Checkpoint& checkpoint, const Shard& shard);
  void Take(Shard& shard, const Checkpoint& checkpoint);
  void PassOverRemoved(Shard& shard);
  void Rebalance(std::int64_t now_ms);
  std::vector<HeldShard> ShardsToRead() const;
  bool Apply(const HeldShard& held, MemberId target, std::int64_t now_ms);
  void SetAskedBack(Shard& shard, std::optional<std::int64_t> at_ms);
  void Bump(MemberId id);
  void CheckInvariants() const;

  std::map<MemberId, Member> members_;
  std::map<ShardIndex, Shard> shards_;
  std::map<ShardIndex, std::optional<ShardProgress>> shards_before_;  // of what has changed and is not stored yet
  std::map<MemberId, std::optional<MemberInfo>> members_before_;
  std::size_t asked_back_ = 0;
  std::uint64_t version_;
  Counts counts_;
};

}  // namespace sluice::broker::groups
