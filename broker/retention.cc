// The retention thread. Removing old segments blocks on the disk, so it has a thread of its own: reads never wait
// behind it. It is also the one that says when the disk is full, as more retention is what helps.
#include "broker/retention.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "broker/log.h"
#include "protocol/check.h"

namespace sluice::broker {

class Retention::Impl {
 public:
  Impl(storage::LogStore& store, StreamCatalog& catalog, const RetentionHolds& holds, RetentionOptions options)
      : store_(store), catalog_(catalog), holds_(holds), options_(options) {}

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
  void TellDiskFull();

  storage::LogStore& store_;
  StreamCatalog& catalog_;
  const RetentionHolds& holds_;
  const RetentionOptions options_;
  std::mutex mutex_;  // for the pause only
  std::condition_variable_any pause_;
  bool disk_was_full_ = false;  // as the log says
  std::jthread thread_;
};

void Retention::Impl::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      pause_.wait_for(lock, stop, std::chrono::milliseconds(options_.interval_ms), [] { return false; });
    }
    if (stop.stop_requested()) return;
    const std::uint64_t freed = RunOnce(stop);
    if (freed > 0) log::Info("retention removed old segments", {{"bytes", freed}});
    TellDiskFull();
  }
}

void Retention::Impl::TellDiskFull() {
  const bool full = store_.stats().disk_full;
  if (full == std::exchange(disk_was_full_, full)) return;
  if (full) {
    log::Error("the disk is full: appends are refused, reads go on; free space, and writing resumes by itself");
  } else {
    log::Info("the disk has space again: appends are taken");
  }
}

std::uint64_t Retention::Impl::RunOnce(const std::stop_token& stop) {
  std::uint64_t freed = 0;
  for (const StreamPtr& stream : catalog_.ListAll()) {
    const auto& ranges = stream->shards.ranges();
    if (!stream->retention.age_ms && !stream->retention.bytes) continue;
    storage::RetentionPolicy policy{.age_ms_max = stream->retention.age_ms, .bytes_max = {}, .keep_from = kMaxOffset};
    if (stream->retention.bytes)
      policy.bytes_max = std::max<std::uint64_t>(1, *stream->retention.bytes / ranges.size());
    for (const protocol::ShardRange& range : ranges) {
      if (stop.stop_requested()) return freed;
      const ShardId id{stream->id, range.shard};
      policy.keep_from = holds_.KeepFrom(id);
      freed += store_.ApplyRetention(id, policy);
    }
  }
  return freed;
}

Retention::Retention(storage::LogStore& store, StreamCatalog& catalog, const RetentionHolds& holds,
                     RetentionOptions options)
    : impl_(std::make_unique<Impl>(store, catalog, holds, options)) {}
Retention::~Retention() { impl_->Stop(); }
void Retention::Start() { impl_->Start(); }
void Retention::Stop() { impl_->Stop(); }
std::uint64_t Retention::RunOnce() { return impl_->RunOnce({}); }

}  // namespace sluice::broker
