// What the service keeps of one group, and how each call goes about it. For the service's own sources only.
//
// Threads: as its fields say.
#pragma once

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "broker/groups/group_service.h"

namespace sluice::broker::groups {

struct GroupService::Group {
  explicit Group(GroupId group_id) : id(std::move(group_id)) {}

  const GroupId id;
  std::mutex mutex;
  // Guarded by mutex:
  GroupInfo info;
  std::optional<GroupState> state;  // none: it is read from the store with the next call
  StreamPtr stream;                 // what `state` knows of it
  bool look = false;                // at where the shards stand
  bool gone = false;
  struct SeenAge {
    Offset next;
    std::optional<std::int64_t> append_ms;
  };
  std::map<ShardIndex, SeenAge> ages;  // so that a shard that does not move is read once
};

/// Runs `change` on the group as it is, with its mutex held, and stores what it has changed before it gives its answer.
template <typename Change>
auto GroupService::With(const GroupPtr& group, Change change) -> decltype(change(*group)) {
  using Answer = decltype(change(*group));
  const auto failed = [](Status why) -> Answer {
    if constexpr (std::is_same_v<Answer, Status>) {
      return why;
    } else {
      return Error(std::move(why));
    }
  };
  const std::lock_guard lock(group->mutex);
  if (group->gone) return failed({Code::kNotFound, fmt::format("consumer group '{}' was deleted", group->id.name)});
  if (Status status = Prepare(*group); !status.ok()) return failed(std::move(status));
  Answer answer = change(*group);
  if (Status status = Store(*group); !status.ok()) return failed(std::move(status));
  return answer;
}

}  // namespace sluice::broker::groups
