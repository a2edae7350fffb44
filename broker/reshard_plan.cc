// Planning on sorted ranges.
#include "broker/reshard_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "protocol/check.h"

namespace sluice::broker {
namespace {

using protocol::HashKey;
using protocol::ShardRange;

// A stream that keeps its records for ever keeps all shards that it ever had.
constexpr std::size_t kAllShardsMax = 10 * StreamCatalog::kShardsMax;

HashKey Before(HashKey key) { return {key.low == 0 ? key.high - 1 : key.high, key.low - 1}; }

bool Touch(const ShardInfo& lower, const ShardInfo& upper) {
  return upper.first != protocol::kMinHashKey && Before(upper.first) == lower.last;
}

Result<const ShardInfo*> OpenShard(const StreamInfo& stream, ShardIndex shard) {
  const ShardInfo* const info = stream.FindShard(shard);
  if (info == nullptr) return Error(CheckShard(stream, shard));
  if (!info->closed()) return info;
  return Error(Code::kFailedPrecondition, fmt::format("shard {} of stream '{}' was split or merged before: only open "
                                                      "shards can be",
                                                      shard.value, stream.name));
}

// Those of the sorted `starts` that lie within the range, but not at its start.
std::span<const HashKey> Within(const std::vector<HashKey>& starts, const ShardRange& range) {
  const auto first = std::ranges::upper_bound(starts, range.first);
  return {first, std::ranges::upper_bound(first, starts.end(), range.last)};
}

std::vector<ShardChange> SplitRound(const StreamInfo& stream, const std::vector<HashKey>& starts) {
  std::vector<ShardChange> round;
  for (const ShardRange& range : stream.shards.ranges()) {
    const auto within = Within(starts, range);
    if (within.empty()) continue;
    round.push_back({.parents = {range.shard}, .starts = {range.first, within[within.size() / 2]}});
  }
  return round;
}

// Pairs of neighbours that lie between the same two of `starts`.
std::vector<ShardChange> MergeRound(const StreamInfo& stream, const std::vector<HashKey>& starts) {
  std::vector<ShardChange> round;
  const std::vector<ShardRange>& ranges = stream.shards.ranges();
  for (std::size_t i = 0; i + 1 < ranges.size(); ++i) {
    if (std::ranges::binary_search(starts, ranges[i + 1].first)) continue;
    round.push_back({.parents = {ranges[i].shard, ranges[i + 1].shard}, .starts = {ranges[i].first}});
    ++i;
  }
  return round;
}

// Where the children's numbers are above all of their parents', and no later than can be.
std::int64_t CreationMs(const StreamInfo& stream, const ShardChange& change, std::int64_t now_ms) {
  for (const ShardIndex parent : change.parents) {
    now_ms = std::max(now_ms, (stream.FindShard(parent)->created_ms / 1'000 + 1) * 1'000);
  }
  return now_ms;
}

void Apply(StreamInfo& stream, const ShardChange& change, const ShardEnds& ends, std::int64_t now_ms) {
  const std::int64_t at_ms = CreationMs(stream, change, now_ms);
  HashKey last;
  for (const ShardIndex parent : change.parents) {
    ShardInfo& info = *std::ranges::lower_bound(stream.all_shards, parent, {}, &ShardInfo::shard);
    info.end = ends.at(parent);
    info.closed_ms = at_ms;
    last = info.last;
  }
  for (std::size_t i = 0; i < change.starts.size(); ++i) {
    const HashKey child_last = i + 1 < change.starts.size() ? Before(change.starts[i + 1]) : last;
    ShardInfo child = NewShard({stream.next_shard, change.starts[i], child_last}, at_ms);
    child.parent = change.parents.front();
    if (change.parents.size() > 1) child.adjacent_parent = change.parents.back();
    stream.all_shards.push_back(child);
    stream.next_shard = ShardIndex(stream.next_shard.value + 1);
  }
}

}  // namespace

Result<ShardChange> PlanSplit(const StreamInfo& stream, ShardIndex shard, HashKey start) {
  const auto info = OpenShard(stream, shard);
  if (!info) return Error(info.error());
  if (start > (*info)->first && start <= (*info)->last) return ShardChange{{shard}, {(*info)->first, start}};
  return Error(Code::kInvalidArgument,
               fmt::format("shard {} of stream '{}' owns the hash keys {} to {}: it cannot be split at {}", shard.value,
                           stream.name, protocol::ToDecimal((*info)->first), protocol::ToDecimal((*info)->last),
                           protocol::ToDecimal(start)));
}

Result<ShardChange> PlanMerge(const StreamInfo& stream, ShardIndex shard, ShardIndex adjacent) {
  const auto one = OpenShard(stream, shard);
  if (!one) return Error(one.error());
  const auto other = OpenShard(stream, adjacent);
  if (!other) return Error(other.error());
  const ShardInfo* lower = *one;
  const ShardInfo* upper = *other;
  if (upper->first < lower->first) std::swap(lower, upper);
  if (Touch(*lower, *upper)) return ShardChange{{lower->shard, upper->shard}, {lower->first}};
  return Error(Code::kInvalidArgument,
               fmt::format("shards {} and {} of stream '{}' do not touch: only neighbours by hash key can be merged",
                           shard.value, adjacent.value, stream.name));
}

std::vector<ShardChange> PlanResize(const StreamInfo& stream, std::uint32_t count) {
  SLUICE_CHECK(count >= 1 && count <= StreamCatalog::kShardsMax);
  std::vector<HashKey> starts;
  for (const ShardRange& range : protocol::ShardMap::Uniform(count).ranges()) starts.push_back(range.first);
  std::vector<ShardChange> round = SplitRound(stream, starts);
  return round.empty() ? MergeRound(stream, starts) : round;
}

Status ApplyChanges(StreamInfo& stream, const std::vector<ShardChange>& changes, const ShardEnds& ends,
                    std::int64_t now_ms) {
  for (const ShardChange& change : changes) {
    for (const ShardIndex parent : change.parents) {
      if (const auto open = OpenShard(stream, parent); !open) return open.error();
    }
    Apply(stream, change, ends, now_ms);
  }
  std::vector<ShardRange> ranges;
  for (const ShardInfo& shard : stream.all_shards) {
    if (!shard.closed()) ranges.push_back(shard.range());
  }
  if (ranges.size() > StreamCatalog::kShardsMax || stream.all_shards.size() > kAllShardsMax) {
    return Status(Code::kResourceExhausted,
                  fmt::format("stream '{}' would have {} open shards and {} in all; at most {} and {} are allowed, and "
                              "closed ones go as retention removes their records",
                              stream.name, ranges.size(), stream.all_shards.size(),
                              std::size_t{StreamCatalog::kShardsMax}, kAllShardsMax));
  }
  auto map = protocol::ShardMap::FromRanges(std::move(ranges));
  SLUICE_CHECK(map.has_value());
  stream.shards = std::move(*map);
  return {};
}

}  // namespace sluice::broker
