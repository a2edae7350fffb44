// The holds that keep undelivered records from retention.
#include "broker/retention_holds.h"

#include <algorithm>

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

std::optional<std::string> RetentionHolds::HolderOf(StreamId stream) const {
  const std::lock_guard lock(mutex_);
  const auto first = holds_.lower_bound({ShardId{stream, ShardIndex(0)}, std::string()});
  if (first == holds_.end() || first->first.first.stream != stream) return std::nullopt;
  return first->first.second;
}

}  // namespace sluice::broker
