// The growth thread. A split waits for the disk, so it has a thread of its own.
#include "broker/shard_growth.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <utility>

#include "broker/log.h"
#include "protocol/check.h"
#include "protocol/uint128.h"

namespace sluice::broker {
namespace {

using protocol::Uint128;

constexpr int kChecksAbove = 3;  // a burst is no load

}  // namespace

protocol::HashKey MiddleOf(const protocol::ShardRange& range) {
  if (range.first == range.last) return protocol::kMinHashKey;
  const Uint128 first = Uint128{range.first.high} << 64 | range.first.low;
  const Uint128 last = Uint128{range.last.high} << 64 | range.last.low;
  const Uint128 middle = first + (last - first) / 2 + 1;
  return {static_cast<std::uint64_t>(middle >> 64), static_cast<std::uint64_t>(middle)};
}

class ShardGrowth::Impl {
 public:
  Impl(const GrowthParts& parts, GrowthOptions options) : parts_(parts), options_(options) {}

  void Start() {
    SLUICE_CHECK(!thread_.joinable());
    if (options_.shards_max == 0) return;
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }
  void Stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }
  std::size_t RunOnce();

 private:
  // What the last check has seen of a shard.
  struct Seen {
    Offset end;
    std::int64_t at_ns = 0;
    int checks_above = 0;
  };
  using SeenShards = std::unordered_map<ShardId, Seen>;

  void Run(const std::stop_token& stop);
  std::size_t Grow(const StreamInfo& stream, SeenShards& now);
  Seen Look(ShardId id) const;
  bool Above(ShardId id, const Seen& before, const Seen& now) const;

  const GrowthParts parts_;
  const GrowthOptions options_;
  SeenShards seen_;
  std::mutex mutex_;  // for the pause only
  std::condition_variable_any pause_;
  std::jthread thread_;
};

void ShardGrowth::Impl::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      pause_.wait_for(lock, stop, std::chrono::milliseconds(options_.interval_ms), [] { return false; });
    }
    if (!stop.stop_requested()) RunOnce();
  }
}

std::size_t ShardGrowth::Impl::RunOnce() {
  SeenShards now;  // shards that are gone are not taken over
  std::size_t split = 0;
  for (const StreamPtr& stream : parts_.catalog.List()) {
    if (stream->kinesis.on_demand) split += Grow(*stream, now);
  }
  seen_ = std::move(now);
  return split;
}

std::size_t ShardGrowth::Impl::Grow(const StreamInfo& stream, SeenShards& now) {
  std::size_t split = 0;
  for (const protocol::ShardRange& range : stream.shards.ranges()) {
    const ShardId id{stream.id, range.shard};
    Seen& seen = now[id] = Look(id);
    const auto before = seen_.find(id);
    if (before == seen_.end() || !Above(id, before->second, seen)) continue;
    seen.checks_above = before->second.checks_above + 1;
    const bool room = stream.shards.ranges().size() + split < options_.shards_max;
    const protocol::HashKey middle = MiddleOf(range);
    if (seen.checks_above < kChecksAbove || !room || middle == protocol::kMinHashKey) continue;
    const auto grown = parts_.resharder.Split(stream.name, range.shard, middle);
    if (grown) ++split;
    if (!grown) {
      log::Warning("an on-demand stream could not grow; it is tried again",
                   {{"stream", stream.name}, {"shard", range.shard.value}, {"reason", grown.error()}});
    }
  }
  return split;
}

ShardGrowth::Impl::Seen ShardGrowth::Impl::Look(ShardId id) const {
  return {.end = parts_.store.OpenShard(id)->durable_end(), .at_ns = parts_.clock.MonotonicNs(), .checks_above = 0};
}

bool ShardGrowth::Impl::Above(ShardId id, const Seen& before, const Seen& now) const {
  const double seconds = static_cast<double>(now.at_ns - before.at_ns) / 1e9;
  const auto records = static_cast<double>(now.end - before.end);
  if (seconds <= 0 || records == 0) return false;
  const auto log = parts_.store.OpenShard(id);
  const std::uint64_t kept = log->durable_end() - log->oldest();
  const double record_bytes = kept == 0 ? 0 : static_cast<double>(log->retained_bytes()) / static_cast<double>(kept);
  return records > seconds * static_cast<double>(options_.shard_records_per_second) ||
         records * record_bytes > seconds * static_cast<double>(options_.shard_bytes_per_second);
}

ShardGrowth::ShardGrowth(const GrowthParts& parts, GrowthOptions options)
    : impl_(std::make_unique<Impl>(parts, options)) {}
ShardGrowth::~ShardGrowth() { impl_->Stop(); }
void ShardGrowth::Start() { impl_->Start(); }
void ShardGrowth::Stop() { impl_->Stop(); }
std::size_t ShardGrowth::RunOnce() { return impl_->RunOnce(); }

}  // namespace sluice::broker
