// The retention thread. Removing old segments blocks on the disk, so it has a thread of its own: reads never wait
// behind it. It is also the one that says when the disk is full, as more retention is what helps.
#include "broker/retention.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "broker/log.h"
#include "protocol/check.h"

namespace sluice::broker {
namespace {

// Of a closed shard without records in a stream without an age limit: its readers find its children meanwhile.
constexpr std::int64_t kClosedKeptMs = 24ll * 3600 * 1000;
constexpr std::int64_t kLookMs = 250;  // how often the bytes appended are looked at

std::vector<const ShardInfo*> NewestFirst(const StreamInfo& stream) {
  std::vector<const ShardInfo*> shards;
  for (const ShardInfo& shard : stream.all_shards) shards.push_back(&shard);
  const auto newness = [](const ShardInfo* shard) {
    return std::pair(shard->closed() ? shard->closed_ms : INT64_MAX, shard->shard);
  };
  std::ranges::sort(shards, std::ranges::greater(), newness);
  return shards;
}

}  // namespace

class Retention::Impl {
 public:
  Impl(const RetentionParts& parts, RetentionOptions options) : parts_(parts), options_(options) {}

  void Start() {
    SLUICE_CHECK(!thread_.joinable());
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }
  void Stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }
  std::uint64_t RunOnce(const std::stop_token& stop);

 private:
  void Run(const std::stop_token& stop);
  void Pause(const std::stop_token& stop);
  std::uint64_t Trim(const StreamInfo& stream, const std::stop_token& stop);
  void Forget(const StreamInfo& stream);
  void TellDiskFull();

  const RetentionParts parts_;
  const RetentionOptions options_;
  std::mutex mutex_;  // for the pause only
  std::condition_variable_any pause_;
  bool disk_was_full_ = false;  // as the log says
  std::jthread thread_;
};

void Retention::Impl::Run(const std::stop_token& stop) {
  while (true) {
    Pause(stop);
    if (stop.stop_requested()) return;
    const std::uint64_t freed = RunOnce(stop);
    if (freed > 0) log::Info("retention removed old segments", {{"bytes", freed}});
    TellDiskFull();
  }
}

void Retention::Impl::Pause(const std::stop_token& stop) {
  const std::int64_t look_ms = std::min(kLookMs, options_.interval_ms);
  const std::uint64_t before = parts_.store.commit_bytes();
  std::unique_lock lock(mutex_);
  for (std::int64_t waited_ms = 0; waited_ms < options_.interval_ms && !stop.stop_requested(); waited_ms += look_ms) {
    pause_.wait_for(lock, stop, std::chrono::milliseconds(look_ms), [] { return false; });
    if (parts_.store.commit_bytes() - before >= options_.appended_bytes) return;
  }
}

void Retention::Impl::TellDiskFull() {
  const bool full = parts_.store.stats().disk_full;
  if (full == std::exchange(disk_was_full_, full)) return;
  if (full) {
    log::Error("the disk is full: appends are refused, reads go on; free space, and writing resumes by itself");
  } else {
    log::Info("the disk has space again: appends are taken");
  }
}

std::uint64_t Retention::Impl::RunOnce(const std::stop_token& stop) {
  std::uint64_t freed = 0;
  for (const StreamPtr& stream : parts_.catalog.ListAll()) {
    if (stream->retention.age_ms || stream->retention.bytes) freed += Trim(*stream, stop);
    if (stop.stop_requested()) return freed;
    Forget(*stream);
  }
  return freed;
}

std::uint64_t Retention::Impl::Trim(const StreamInfo& stream, const std::stop_token& stop) {
  const std::uint64_t limit = stream.retention.bytes.value_or(0);
  const std::uint64_t part = std::max<std::uint64_t>(1, limit / stream.shards.ranges().size());
  std::uint64_t freed = 0;
  std::uint64_t kept = 0;
  const RetentionHolds::OfStream holds = parts_.holds.Of(stream.id);
  // The newest shards first: the open ones, then those that were closed last.
  for (const ShardInfo* const shard : NewestFirst(stream)) {
    if (stop.stop_requested()) return freed;
    const ShardId id{stream.id, shard->shard};
    storage::RetentionPolicy policy{.age_ms_max = stream.retention.age_ms, .bytes_max = {}};
    policy.keep_from = holds.KeepFrom(shard->shard);
    policy.keep_newest = !shard->closed();
    if (stream.retention.bytes) policy.bytes_max = shard->closed() ? limit - std::min(limit, kept) : part;
    freed += parts_.store.ApplyRetention(id, policy);
    kept += parts_.store.OpenShard(id)->retained_bytes();
  }
  return freed;
}

// Closed shards whose records are all gone.
void Retention::Impl::Forget(const StreamInfo& stream) {
  const std::int64_t closed_before_ms = parts_.clock.WallMs() - stream.retention.age_ms.value_or(kClosedKeptMs);
  const RetentionHolds::OfStream holds = parts_.holds.Of(stream.id);
  std::vector<ShardIndex> empty;
  std::uint64_t records = 0;
  const auto is_there = [&](const std::optional<ShardIndex>& parent) {
    return parent && stream.FindShard(*parent) != nullptr && !std::ranges::binary_search(empty, *parent);
  };
  for (const ShardInfo& shard : stream.all_shards) {
    if (!shard.closed() || shard.closed_ms >= closed_before_ms) continue;
    if (is_there(shard.parent) || is_there(shard.adjacent_parent)) continue;  // their readers go on here
    const ShardId id{stream.id, shard.shard};
    const auto log = parts_.store.OpenShard(id);
    if (log->oldest() < log->durable_end() || holds.KeepFrom(shard.shard) < log->durable_end()) continue;
    empty.push_back(shard.shard);
    records += log->durable_end().value;
  }
  if (empty.empty()) return;
  const auto changed = parts_.catalog.Change(stream.name, [&](StreamInfo& now) {
    if (now.id != stream.id) return Status(Code::kNotFound, "the stream was deleted");
    std::erase_if(now.all_shards,
                  [&](const ShardInfo& shard) { return std::ranges::binary_search(empty, shard.shard); });
    now.records_forgotten += records;
    return Status();
  });
  if (!changed) {
    return log::Warning("closed shards without records could not be forgotten; it is tried again",
                        {{"stream", stream.name}, {"reason", changed.error()}});
  }
  for (const ShardIndex shard : empty) parts_.shards.ForgetShard({stream.id, shard});
  log::Info("closed shards without records are forgotten", {{"stream", stream.name}, {"shards", empty.size()}});
}

Retention::Retention(const RetentionParts& parts, RetentionOptions options)
    : impl_(std::make_unique<Impl>(parts, options)) {}
Retention::~Retention() { impl_->Stop(); }
void Retention::Start() { impl_->Start(); }
void Retention::Stop() { impl_->Stop(); }
std::uint64_t Retention::RunOnce() { return impl_->RunOnce({}); }

}  // namespace sluice::broker
