// Each group's numbers, and those of each shard that it has not finished.
#include "broker/groups/group_metrics.h"

#include <algorithm>
#include <string>

namespace sluice::broker::groups {
namespace {

void CollectShard(const ShardDescription& shard, MetricSink::Labels labels, std::int64_t now_ms, MetricSink& sink) {
  labels.emplace_back("shard", std::to_string(shard.shard.value));
  sink.AddGauge("sluice_group_lag_records", "Records of a shard that a consumer group has not processed.",
                static_cast<double>(shard.lag_records), labels);
  const std::int64_t age_ms = shard.next_append_ms ? std::max<std::int64_t>(0, now_ms - *shard.next_append_ms) : 0;
  sink.AddGauge("sluice_group_lag_seconds", "Age of the oldest of them.", static_cast<double>(age_ms) / 1'000.0,
                labels);
}

void CollectGroup(const GroupDescription& group, std::int64_t now_ms, MetricSink& sink) {
  const MetricSink::Labels labels = {{"stream", group.stream->name}, {"group", group.name}};
  std::uint64_t missed = 0;
  for (const ShardDescription& shard : group.shards) {
    missed += shard.progress.missed;
    if (!shard.finished) CollectShard(shard, labels, now_ms, sink);
  }
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    sink.AddCounter(name, help, static_cast<double>(value), labels);
  };
  sink.AddGauge("sluice_group_members", "Members of a consumer group.", static_cast<double>(group.members.size()),
                labels);
  counter("sluice_group_rebalances_total", "Changes of who reads which shard.", group.counts.rebalances);
  counter("sluice_group_checkpoints_total", "Checkpoints of shards taken.", group.counts.checkpoints);
  counter("sluice_group_fenced_total", "Checkpoints refused: the member had lost the shard.", group.counts.fenced);
  counter("sluice_group_members_expired_total", "Members removed because they were not heard.",
          group.counts.members_expired);
  // Of shards that the stream still has: it may fall.
  sink.AddGauge("sluice_group_missed_records", "Records that retention removed before they were processed.",
                static_cast<double>(missed), labels);
}

}  // namespace

void CollectGroupMetrics(GroupService& groups, storage::Clock& clock, MetricSink& sink) {
  const auto all = groups.List("");
  if (!all) return;  // the store fails, which the log and /readyz say
  const std::int64_t now_ms = clock.WallMs();
  for (const GroupDescription& group : *all) CollectGroup(group, now_ms, sink);
}

}  // namespace sluice::broker::groups
