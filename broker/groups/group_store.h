// Consumer groups in the metadata store: every step of a group's life is one conditional, synced transaction.
//
//     group/STREAM/NAME                    when it was made, and where it began
//     group-shard/STREAM/NAME/SHARD        checkpoint and lease of a shard
//     group-member/STREAM/NAME/MEMBER      a member
//
// STREAM is the stream's id, which is never used again: groups of a deleted stream are nobody's, until they are
// removed. Every change states what it replaces and that the group is still there, so a change that another broker, or
// a deletion, has overtaken is refused with kFenced and changes nothing.
//
// Threads: any that may block.
#pragma once

#include <vector>

#include "broker/groups/group_codec.h"
#include "broker/groups/group_state.h"
#include "sluice/status.h"
#include "storage/metadata_store.h"

namespace sluice::broker::groups {

struct StoredGroup {
  GroupInfo info;
  GroupState::Shards shards;
  GroupState::Members members;
};

class GroupStore {
 public:
  /// `store` outlives the object.
  explicit GroupStore(storage::MetadataStore& store) : store_(store) {}

  Result<std::vector<GroupId>> List();
  /// kNotFound where there is no such group.
  Result<StoredGroup> Load(const GroupId& id);
  /// kFenced where there is one.
  Status Create(const GroupId& id, const GroupInfo& info, const GroupState::Shards& shards);
  Status Commit(const GroupId& id, const GroupInfo& info, const GroupChanges& changes);
  /// With its checkpoints and members. Nothing where it is not there.
  Status Delete(const GroupId& id);

 private:
  storage::MetadataStore& store_;
};

}  // namespace sluice::broker::groups
