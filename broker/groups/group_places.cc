// Asks the log.
#include "broker/groups/group_places.h"

#include <algorithm>
#include <utility>

namespace sluice::broker::groups {

std::vector<ShardFacts> FactsOf(const StreamInfo& stream, storage::LogStore& store) {
  std::vector<ShardFacts> all;
  all.reserve(stream.all_shards.size());
  for (const ShardInfo& shard : stream.all_shards) {
    const auto log = store.OpenShard({stream.id, shard.shard});
    ShardFacts& facts = all.emplace_back();
    facts.shard = shard.shard;
    if (shard.parent) facts.parents.push_back(*shard.parent);
    if (shard.adjacent_parent) facts.parents.push_back(*shard.adjacent_parent);
    facts.closed = shard.closed();
    facts.oldest = log->oldest();
    facts.end = log->durable_end();
  }
  return all;
}

Result<Offset> OffsetOf(storage::ShardLog& log, const GroupStart& start) {
  switch (start.kind) {
    case GroupStart::Kind::kOldest:
      return log.oldest();
    case GroupStart::Kind::kLatest:
      return log.durable_end();
    case GroupStart::Kind::kTime:
      return log.OffsetAtTimeBlocking(start.time_ms);
  }
  return log.oldest();
}

std::optional<std::int64_t> AppendTimeMs(storage::ShardLog& log, Offset next) {
  const Offset from = std::max(next, log.oldest());
  if (from >= log.durable_end()) return std::nullopt;
  const auto tail = log.ReadTail(from, 1);
  if (!tail) return std::nullopt;
  Result<storage::FrameRun> run = storage::FrameRun{};
  if (*tail) {
    run = std::move(**tail);
  } else {
    run = log.ReadBlocking(from, 1);
  }
  if (!run || run->frames.empty()) return std::nullopt;
  return run->frames.front().header().append_time_ms;
}

}  // namespace sluice::broker::groups
