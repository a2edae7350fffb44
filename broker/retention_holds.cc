// The holds that keep undelivered records from retention.
#include "broker/retention_holds.h"

#include <algorithm>
#include <set>

namespace sluice::broker {

void RetentionHolds::Set(ShardId shard, std::string_view holder, Offset keep_from) {
  const std::lock_guard lock(mutex_);
  holds_[{shard, std::string(holder)}] = keep_from;
}

void RetentionHolds::Remove(ShardId shard, std::string_view holder) {
  const std::lock_guard lock(mutex_);
  holds_.erase({shard, std::string(holder)});
}

void RetentionHolds::RemoveAll(std::string_view holder) {
  const std::lock_guard lock(mutex_);
  std::erase_if(holds_, [&](const auto& entry) { return entry.first.second == holder; });
}

Offset RetentionHolds::KeepFrom(ShardId shard) const {
  const std::lock_guard lock(mutex_);
  Offset lowest = kMaxOffset;
  for (auto it = holds_.lower_bound({shard, std::string()}); it != holds_.end() && it->first.first == shard; ++it) {
    lowest = std::min(lowest, it->second);
  }
  return lowest;
}

std::vector<std::string> RetentionHolds::HoldersOf(StreamId stream) const {
  std::set<std::string> holders;
  const std::lock_guard lock(mutex_);
  for (auto it = holds_.lower_bound({ShardId{stream, ShardIndex(0)}, std::string()});
       it != holds_.end() && it->first.first.stream == stream; ++it) {
    holders.insert(it->first.second);
  }
  return {holders.begin(), holders.end()};
}

}  // namespace sluice::broker
