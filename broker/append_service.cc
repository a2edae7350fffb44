// Appends: checked on the caller's loop, handed to the loop that owns the shard, answered on the caller's loop.
//
// Each append in flight has a slot in its owner loop's table, so that the log's callback holds two words and nothing is
// allocated for it; the slot also keeps the shard from being dropped under the writer.
#include "broker/append_service.h"

#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "broker/batch_limits.h"
#include "broker/metrics.h"
#include "broker/shards.h"
#include "broker/turn_clock.h"
#include "protocol/check.h"
#include "storage/env/env.h"
#include "storage/log_store.h"

namespace sluice::broker {
namespace {

using protocol::BatchHeader;
using storage::Appended;
using Done = AppendService::Done;

class AppendServiceImpl;

// What one loop keeps of the appends that its shards have in flight; on its thread only.
class LoopAppends {
 public:
  LoopAppends(AppendServiceImpl& service, LoopShards& shards, LoopMetrics& metrics, storage::Clock& clock)
      : service_(service), shards_(shards), metrics_(metrics), clock_(clock), turn_clock_(shards.loop(), clock) {}

  void Start(AppendRequest request, const BatchHeader& header, std::int64_t start_ns, Done done);
  std::string& scratch() { return scratch_; }
  /// When an append that comes now began. Early by the length of a turn at most, so no latency looks better than it is.
  std::int64_t StartNs() { return turn_clock_.NowNs(); }

 private:
  struct Slot {
    Done done;
    Shard* shard = nullptr;
    std::int64_t start_ns = 0;
    std::uint32_t bytes = 0;
    std::uint32_t records = 0;
  };

  void Park(Shard& shard, AppendRequest request, const BatchHeader& header, std::int64_t start_ns, Done done);
  std::uint32_t TakeSlot();
  void Finish(std::uint32_t index, const Result<Appended>& result);
  void Count(const Slot& slot, const Result<Appended>& result);

  AppendServiceImpl& service_;
  LoopShards& shards_;
  LoopMetrics& metrics_;
  storage::Clock& clock_;
  TurnClock turn_clock_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::string scratch_;  // of checks that decompress
};

class AppendServiceImpl final : public AppendService {
 public:
  AppendServiceImpl(Shards& shards, storage::LogStore& store, Metrics& metrics, storage::Clock& clock,
                    AppendOptions options)
      : shards_(shards), store_(store), metrics_(metrics), options_(options) {
    for (std::size_t i = 0; i < shards.loops().size(); ++i) {
      loops_.push_back(std::make_unique<LoopAppends>(*this, shards.at(i), metrics.loop(i), clock));
    }
  }

  void Append(EventLoop& caller, AppendRequest request, Done done) override;
  bool overloaded() const override { return OverLimit() || store_.overloaded(); }
  void WhenReady(EventLoop& caller, std::move_only_function<void()> resume) override;

  void AddInFlight(std::uint64_t bytes) { inflight_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void RemoveInFlight(std::uint64_t bytes);

 private:
  struct Waiting {
    EventLoop* loop;
    std::move_only_function<void()> resume;
  };

  bool OverLimit() const { return inflight_bytes_.load(std::memory_order_relaxed) > options_.inflight_bytes_max; }
  void ResumeWaiting();
  void Forward(EventLoop& caller, std::size_t owner, AppendRequest request, const BatchHeader& header, Done done);

  Shards& shards_;
  storage::LogStore& store_;
  Metrics& metrics_;
  const AppendOptions options_;
  std::vector<std::unique_ptr<LoopAppends>> loops_;  // constant after construction
  std::atomic<std::uint64_t> inflight_bytes_{0};
  std::atomic<bool> any_waiting_{false};
  std::mutex mutex_;
  std::vector<Waiting> waiting_;  // guarded by mutex_
};

void AppendServiceImpl::Append(EventLoop& caller, AppendRequest request, Done done) {
  SLUICE_DCHECK(caller.InLoop());
  const std::string_view batch = request.batch.batch_view();
  const auto header =
      CheckBatch(batch, options_.batch_bytes_max, options_.record_bytes_max, loops_[caller.index()]->scratch());
  if (!header) {
    metrics_.loop(caller.index()).append_refused.Add();
    return done(Error(header.error()));
  }
  const std::size_t owner = shards_.loops().OwnerIndexOf({request.stream, request.shard});
  if (owner != caller.index()) return Forward(caller, owner, std::move(request), *header, std::move(done));
  loops_[owner]->Start(std::move(request), *header, loops_[owner]->StartNs(), std::move(done));
}

void AppendServiceImpl::Forward(EventLoop& caller, std::size_t owner, AppendRequest request, const BatchHeader& header,
                                Done done) {
  Done back = [&caller, done = std::move(done)](const Result<Appended>& result) mutable {
    caller.Post([done = std::move(done), result]() mutable { done(result); });
  };
  shards_.loops().loop(owner).Post([this, owner, request = std::move(request), header,
                                    start_ns = loops_[caller.index()]->StartNs(), back = std::move(back)]() mutable {
    loops_[owner]->Start(std::move(request), header, start_ns, std::move(back));
  });
}

void AppendServiceImpl::WhenReady(EventLoop& caller, std::move_only_function<void()> resume) {
  if (!OverLimit()) return store_.WhenReady(caller, std::move(resume));
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({&caller, std::move(resume)});
    any_waiting_.store(true);
  }
  if (!OverLimit()) ResumeWaiting();  // the last answer may have come in between
}

void AppendServiceImpl::RemoveInFlight(std::uint64_t bytes) {
  const std::uint64_t before = inflight_bytes_.fetch_sub(bytes);
  SLUICE_CHECK(before >= bytes);
  if (any_waiting_.load() && before - bytes <= options_.inflight_bytes_max) ResumeWaiting();
}

void AppendServiceImpl::ResumeWaiting() {
  std::vector<Waiting> ready;
  {
    const std::lock_guard lock(mutex_);
    ready.swap(waiting_);
    any_waiting_.store(false);
  }
  for (Waiting& waiting : ready) store_.WhenReady(*waiting.loop, std::move(waiting.resume));
}

void LoopAppends::Start(AppendRequest request, const BatchHeader& header, std::int64_t start_ns, Done done) {
  const auto shard = shards_.Find({request.stream, request.shard});
  if (!shard) {
    metrics_.append_refused.Add();
    return done(Error(shard.error()));
  }
  if ((*shard)->closing) return Park(**shard, std::move(request), header, start_ns, std::move(done));
  const auto bytes = static_cast<std::uint32_t>(request.batch.batch_view().size());
  if ((*shard)->keys->sealing()) {
    auto sealed = (*shard)->keys->Seal((*shard)->id, request.batch.batch_view());
    if (!sealed) {
      metrics_.append_refused.Add();
      return done(Error(sealed.error()));
    }
    request.batch = std::move(*sealed);
  }
  const std::uint32_t index = TakeSlot();
  slots_[index] = Slot{std::move(done), *shard, start_ns, bytes, static_cast<std::uint32_t>(header.record_count)};
  shards_.AppendStarted(**shard);
  service_.AddInFlight(bytes);
  shards_.writer().Append(*(*shard)->log, std::move(request.batch), header, request.ack,
                          [this, index](const Result<Appended>& result) { Finish(index, result); });
}

// Until the shard is closed, or open after all. It counts as in flight, so that doors pause where many wait.
void LoopAppends::Park(Shard& shard, AppendRequest request, const BatchHeader& header, std::int64_t start_ns,
                       Done done) {
  const std::uint64_t bytes = request.batch.batch_view().size();
  service_.AddInFlight(bytes);
  shard.parked.push_back(
      [this, request = std::move(request), header, start_ns, bytes, done = std::move(done)]() mutable {
        service_.RemoveInFlight(bytes);
        Start(std::move(request), header, start_ns, std::move(done));
      });
}

std::uint32_t LoopAppends::TakeSlot() {
  if (free_.empty()) {
    slots_.emplace_back();
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  return index;
}

void LoopAppends::Finish(std::uint32_t index, const Result<Appended>& result) {
  SLUICE_CHECK(index < slots_.size() && slots_[index].shard != nullptr);
  Slot slot = std::exchange(slots_[index], Slot());
  free_.push_back(index);
  shards_.AppendEnded(*slot.shard);
  Count(slot, result);
  slot.done(result);
  service_.RemoveInFlight(slot.bytes);
}

void LoopAppends::Count(const Slot& slot, const Result<Appended>& result) {
  if (!result) return metrics_.append_refused.Add();
  if (result->duplicate) metrics_.append_duplicates.Add();
  metrics_.append_batches.Add();
  metrics_.append_records.Add(slot.records);
  metrics_.append_bytes.Add(slot.bytes);
  metrics_.append_latency.Record(clock_.MonotonicNs() - slot.start_ns);
}

}  // namespace

std::unique_ptr<AppendService> AppendService::New(Shards& shards, storage::LogStore& store, Metrics& metrics,
                                                  storage::Clock& clock, AppendOptions options) {
  return std::make_unique<AppendServiceImpl>(shards, store, metrics, clock, options);
}

}  // namespace sluice::broker
