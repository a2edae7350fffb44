// Groups to and from the metadata store.
#include "broker/groups/group_store.h"

#include <utility>

namespace sluice::broker::groups {
namespace {

template <typename Change>
void AddChange(std::string key, const Change& change, storage::Transaction& transaction) {
  std::optional<std::string> before;
  if (change.before) before = Encode(*change.before);
  transaction.If(key, std::move(before));
  if (change.after) {
    transaction.Put(std::move(key), Encode(*change.after));
  } else {
    transaction.Delete(std::move(key));
  }
}

}  // namespace

Result<std::vector<GroupId>> GroupStore::List() {
  const auto stored = store_.Scan(kGroupPrefix);
  if (!stored) return Error(stored.error());
  std::vector<GroupId> ids;
  for (const auto& [key, bytes] : *stored) {
    auto id = ParseGroupKey(key);
    if (!id) return Error(id.error());
    ids.push_back(std::move(*id));
  }
  return ids;
}

Result<StoredGroup> GroupStore::Load(const GroupId& id) {
  const auto group = store_.Get(GroupKey(id));
  if (!group) return Error(group.error());
  if (!*group) return Error(Code::kNotFound, "consumer group '" + id.name + "' does not exist");
  const auto info = DecodeGroup(**group);
  if (!info) return Error(info.error().WithContext("consumer group '" + id.name + "'"));
  StoredGroup loaded{.info = *info, .shards = {}, .members = {}};
  const auto shards = store_.Scan(ShardPrefix(id));
  if (!shards) return Error(shards.error());
  for (const auto& [key, bytes] : *shards) {
    const auto shard = ParseShardKey(key);
    if (!shard) return Error(shard.error());
    const auto progress = DecodeShard(bytes);
    if (!progress) return Error(progress.error().WithContext("metadata key '" + key + "'"));
    loaded.shards[*shard] = *progress;
  }
  const auto members = store_.Scan(MemberPrefix(id));
  if (!members) return Error(members.error());
  for (const auto& [key, bytes] : *members) {
    const auto member = ParseMemberKey(key);
    if (!member) return Error(member.error());
    auto member_info = DecodeMember(bytes);
    if (!member_info) return Error(member_info.error().WithContext("metadata key '" + key + "'"));
    loaded.members[*member] = std::move(*member_info);
  }
  return loaded;
}

Status GroupStore::Create(const GroupId& id, const GroupInfo& info, const GroupState::Shards& shards) {
  storage::Transaction transaction;
  transaction.If(GroupKey(id), std::nullopt).Put(GroupKey(id), Encode(info));
  for (const auto& [shard, progress] : shards) transaction.Put(ShardKey(id, shard), Encode(progress));
  return store_.Commit(transaction).WithContext("creating the consumer group");
}

Status GroupStore::Commit(const GroupId& id, const GroupInfo& info, const GroupChanges& changes) {
  if (changes.empty()) return {};
  storage::Transaction transaction;
  transaction.If(GroupKey(id), Encode(info));
  for (const auto& change : changes.shards) AddChange(ShardKey(id, change.key), change, transaction);
  for (const auto& change : changes.members) AddChange(MemberKey(id, change.key), change, transaction);
  return store_.Commit(transaction).WithContext("storing the consumer group");
}

Status GroupStore::Delete(const GroupId& id) {
  storage::Transaction transaction;
  transaction.Delete(GroupKey(id));
  for (const std::string& prefix : {ShardPrefix(id), MemberPrefix(id)}) {
    const auto stored = store_.Scan(prefix);
    if (!stored) return stored.error();
    for (const auto& [key, bytes] : *stored) transaction.Delete(key);
  }
  return store_.Commit(transaction).WithContext("deleting the consumer group");
}

}  // namespace sluice::broker::groups
