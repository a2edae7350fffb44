// The holds that keep undelivered records from retention.
#include "broker/retention_holds.h"

#include <algorithm>

namespace sluice::broker {

void RetentionHolds::Set(ShardId shard, std::string_view holder, Offset keep_from, HoldReason reason) {
  const std::lock_guard lock(mutex_);
  holds_[{shard, std::string(holder)}] = {keep_from, reason};
}

void RetentionHolds::Remove(ShardId shard, std::string_view holder) {
  const std::lock_guard lock(mutex_);
  holds_.erase({shard, std::string(holder)});
}

void RetentionHolds::RemoveAll(std::string_view holder) {
  const std::lock_guard lock(mutex_);
  std::erase_if(holds_, [&](const auto& entry) { return entry.first.second == holder; });
}

Offset RetentionHolds::OfStream::KeepFrom(ShardIndex shard) const {
  const auto known = shards_.find(shard);
  const Held held = known == shards_.end() ? Held() : known->second;
  return held.holders == holders_.size() ? held.lowest : Offset(0);
}

RetentionHolds::OfStream RetentionHolds::Of(StreamId stream) const {
  OfStream of;
  const std::lock_guard lock(mutex_);
  for (auto it = holds_.lower_bound({ShardId{stream, ShardIndex(0)}, std::string()});
       it != holds_.end() && it->first.first.stream == stream; ++it) {
    OfStream::Held& held = of.shards_[it->first.first.index];
    held.lowest = std::min(held.lowest, it->second.keep_from);
    ++held.holders;
    if (!of.holders_.contains(it->first.second)) of.holders_.insert(it->first.second);
  }
  return of;
}

std::optional<Holder> RetentionHolds::HolderOf(StreamId stream) const {
  std::optional<Holder> holder;
  const std::lock_guard lock(mutex_);
  for (auto it = holds_.lower_bound({ShardId{stream, ShardIndex(0)}, std::string()});
       it != holds_.end() && it->first.first.stream == stream; ++it) {
    if (!holder || it->second.reason == HoldReason::kSource) holder = {it->first.second, it->second.reason};
    if (holder->reason == HoldReason::kSource) break;
  }
  return holder;
}

}  // namespace sluice::broker
