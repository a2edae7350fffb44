// Consumer groups: members join, are told which shards to read, commit how far they are, and leave.
//
// What the doors call. Each call looks at the stream as it is, changes the group (group_state.h), stores the change
// (group_store.h), and only then answers. A call whose change cannot be stored fails, and the group is read from the
// store again with the next one. A thread of its own removes members that are not heard, takes shards that are not
// given back, and removes groups whose stream was deleted.
//
// A crash leaves each call done or not. After a start members, leases and checkpoints are as they were stored: nobody
// has to join again, and no epoch is given twice.
//
// Threads: any that may block. A group's mutex is taken before that of the list.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "broker/groups/group_state.h"
#include "broker/groups/group_store.h"
#include "broker/log.h"
#include "broker/stream_catalog.h"
#include "storage/env/env.h"
#include "storage/log_store.h"

namespace sluice::broker::groups {

/// What the service works with; all of it outlives it.
struct GroupParts {
  storage::MetadataStore& metadata;
  const StreamCatalog& catalog;
  storage::LogStore& store;
  storage::Clock& clock;
  storage::Random& random;
};

struct JoinRequest {
  std::string_view stream;
  std::string_view group;
  MemberId member;  // chosen by the member, at random; the same one again changes its settings
  MemberInfo info;
  std::optional<GroupStart> start;  // of a group that is not there yet; none: it must be there
};

/// One member, in later calls.
struct MemberRef {
  StreamId stream;
  std::string_view group;
  MemberId member;
};

struct Assignment {
  StreamId stream;
  std::uint64_t version = 0;                 // of `leases`
  std::optional<std::vector<Lease>> leases;  // none: as they were in the version that the member knows
  std::int64_t heartbeat_ms = 0;             // when to come again
};

struct MemberDescription {
  MemberId id;
  MemberInfo info;
  std::int64_t heard_ms_ago = 0;
  std::size_t shards = 0;
};

struct ShardDescription {
  ShardIndex shard;
  ShardProgress progress;
  std::int64_t created_ms = 0;
  Offset oldest;
  Offset end;
  bool closed = false;
  bool finished = false;
  bool waits_for_parents = false;
  bool asked_back = false;
  std::uint64_t lag_records = 0;
  std::optional<std::int64_t> next_append_ms;  // when the oldest record that is not processed was appended
};

struct GroupDescription {
  StreamPtr stream;
  std::string name;
  GroupInfo info;
  std::vector<MemberDescription> members;
  std::vector<ShardDescription> shards;
  GroupState::Counts counts;
};

struct ResetRequest {
  std::string_view stream;
  std::string_view group;
  std::optional<ShardIndex> shard;  // none: all
  GroupStart start;
  std::optional<Offset> offset;  // instead of `start`; with a shard
};

/// [a-zA-Z0-9_.-]{1,128}, as names of streams.
Status ValidateGroupName(std::string_view name);

class GroupService {
 public:
  inline static constexpr std::size_t kGroupsMax = 100;     // per stream
  inline static constexpr std::size_t kMembersMax = 1'000;  // per group
  inline static constexpr std::size_t kMemberNameBytesMax = 256;
  inline static constexpr std::int64_t kSessionMsMin = 100;
  inline static constexpr std::int64_t kTimeoutMsMax = 3'600'000;

  /// Reads all groups, and removes those whose stream was deleted.
  static Result<std::unique_ptr<GroupService>> Open(const GroupParts& parts);
  ~GroupService();

  void Start();
  /// Waits for a pass that is under way.
  void Stop();
  /// One pass of the thread; by tests, when it was not started.
  void RunOnce();

  // kNotFound: no such stream or group. kUnavailable: the group was changed by somebody else meanwhile; try again.

  /// kInvalidArgument, or kResourceExhausted where there are too many groups or members.
  Result<Assignment> Join(const JoinRequest& request);
  /// `version` is what the member knows. kFenced: it is no member any more, and must join again.
  Result<Assignment> Heartbeat(const MemberRef& member, std::uint64_t version);
  /// Durable when it returns. Gives the shards whose lease the member has lost; see GroupState::Commit.
  Result<std::vector<ShardIndex>> Commit(const MemberRef& member, const std::vector<Checkpoint>& checkpoints);
  /// OK also where it was no member.
  Status Leave(const MemberRef& member);

  Result<GroupDescription> Describe(std::string_view stream, std::string_view group);
  /// Of one stream, or of all (an empty name), sorted. Hidden streams have none to show.
  Result<std::vector<GroupDescription>> List(std::string_view stream);
  /// kFailedPrecondition where it has members.
  Status Delete(std::string_view stream, std::string_view group);
  /// kFailedPrecondition where it has members; kOutOfRange for an offset that is not there.
  Result<GroupDescription> Reset(const ResetRequest& request);

 private:
  struct Group;
  using GroupPtr = std::shared_ptr<Group>;

  explicit GroupService(const GroupParts& parts) : parts_(parts), store_(parts.metadata) {}
  Status Load();
  void Run(const std::stop_token& stop);
  void Pass(const GroupPtr& group, std::int64_t gap_ms);
  void Drop(const GroupPtr& group);

  GroupPtr Known(const GroupId& id) const;
  Result<GroupPtr> Find(const GroupId& id) const;
  Result<GroupPtr> FindNamed(std::string_view stream, std::string_view group) const;
  std::vector<GroupPtr> All() const;
  Result<GroupPtr> FindOrCreate(const JoinRequest& request, const StreamPtr& stream);
  Status CheckRoom(StreamId stream) const;

  // With the group's mutex held:
  Status Prepare(Group& group);
  Status Store(Group& group);
  template <typename Change>
  auto With(const GroupPtr& group, Change change) -> decltype(change(*group));
  Status CheckJoin(const JoinRequest& request) const;
  Assignment AssignmentOf(const Group& group, MemberId member, std::uint64_t known_version) const;
  Result<std::vector<ShardIndex>> CommitTo(Group& group, MemberId member, const std::vector<Checkpoint>& checkpoints);
  Status ResetShards(Group& group, const ResetRequest& request);
  GroupDescription DescriptionOf(Group& group);
  ShardDescription ShardOf(Group& group, const GroupState::Shard& shard);
  std::int64_t NowMs() const { return parts_.clock.MonotonicNs() / 1'000'000; }

  const GroupParts parts_;
  GroupStore store_;
  std::mutex create_mutex_;  // one creation at a time; taken before mutex_
  mutable std::mutex mutex_;
  std::map<GroupId, GroupPtr> groups_;  // guarded by mutex_
  std::int64_t last_pass_ms_ = 0;       // the thread's
  std::uint64_t passes_ = 0;            // the thread's
  log::RateLimit warnings_;             // the thread's
  std::jthread thread_;
};

}  // namespace sluice::broker::groups
