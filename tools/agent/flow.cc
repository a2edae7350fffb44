// The loop, and what happens when the broker does not take a batch.
#include "tools/agent/flow.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <utility>

namespace sluice::tools {
namespace {

constexpr std::uint64_t kRefreshMsMax = 1'000;  // a directory is looked through this often at least: it costs little

constexpr std::uint64_t kBatchBytesMax = 8u << 20;  // a chunk of one shard in one batch

bool PrepareAnew(Code code) {
  return code == Code::kShardClosed || code == Code::kNotFound || code == Code::kFailedPrecondition;
}

}  // namespace

Flow::Flow(FlowConfig config, const AgentConfig& agent, const std::string& state_directory, ClientOptions client)
    : config_(std::move(config)),
      client_(std::move(client)),
      file_(state_directory, name()),
      tailer_(config_, agent.checkpoint_days),
      chunk_(config_),
      retry_ms_(config_.retry_min_ms) {}

std::string Flow::name() const { return fmt::format("{} into {}", config_.file_pattern, config_.destination()); }

Tailer::Times Flow::Now() {
  using namespace std::chrono;
  return {.wall_ms = floor<milliseconds>(system_clock::now()).time_since_epoch().count(),
          .monotonic_ms = floor<milliseconds>(steady_clock::now()).time_since_epoch().count()};
}

Status Flow::Run(const std::stop_token& stop) {
  if (Status started = Start(stop); !started.ok()) return started;
  while (!stop.stop_requested()) {
    RefreshIfDue();
    const Tailer::Times now = Now();
    tailer_.Collect(chunk_, now);
    if (chunk_.due(now)) {
      if (Status committed = Commit(stop); !committed.ok()) return committed;
      continue;
    }
    if (Status noted = NoteStored(); !noted.ok()) return noted;
    Pause(stop, config_.poll_ms);
  }
  return Finish(stop);
}

/// What was collected is written down, as its files may be gone the next time, and has one try.
Status Flow::Finish(const std::stop_token& stop) {
  if (producer_ && pending_.empty() && !chunk_.empty()) {
    if (Status committed = Commit(stop); !committed.ok()) return committed;
  }
  return NoteStored();
}

/// Nothing follows at once: what is stored is not to be sent again, not even in a week, when nobody knows it any more.
Status Flow::NoteStored() { return stored_since_written_ && chunk_.empty() ? WriteDown() : Status(); }

Status Flow::Start(const std::stop_token& stop) {
  auto state = file_.Read();
  if (!state) return state.error();
  const bool first = !state->has_value();
  if (!first) {
    tailer_.Restore(std::move((*state)->files));
    pending_ = std::move((*state)->batches);
  }
  tailer_.Refresh(Now(), first);
  if (first) {
    if (Status written = WriteDown(); !written.ok()) return written;  // END_OF_FILE means the end of now
  }
  const auto connected = Connect(stop);
  if (!connected) return connected.error();
  return *connected ? SendPending(stop) : Status();
}

/// False where the agent is to stop.
Result<bool> Flow::Connect(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    auto producer =
        ResumableProducer::Open(config_.destination(), {.client = client_, .batch_bytes_max = kBatchBytesMax});
    if (producer) {
      producer_ = std::move(*producer);
      chunk_.Limit(producer_->record_bytes_max(), producer_->batch_bytes_max());
      told_.clear();
      return true;
    }
    const Code code = producer.error().code();
    if (code == Code::kInvalidArgument) return std::unexpected(producer.error());
    Trouble(producer.error());
    RefreshIfDue();
    Pause(stop, std::exchange(retry_ms_, std::min(2 * retry_ms_, config_.retry_max_ms)));
  }
  return false;
}

Status Flow::Commit(const std::stop_token& stop) {
  auto batches = producer_->Prepare(chunk_.records());
  if (!batches) return batches.error();
  pending_ = std::move(*batches);
  if (Status written = WriteDown(); !written.ok()) return written;
  left_out_ += chunk_.left_out();
  cut_ += chunk_.cut();
  const std::uint64_t records = chunk_.records().size();
  const std::uint64_t bytes = chunk_.bytes();
  chunk_.Clear();
  if (Status sent = SendPending(stop); !sent.ok()) return sent;
  if (!pending_.empty()) return {};  // stopped; the next process sends them
  records_ += records;
  bytes_ += bytes;
  return {};
}

Status Flow::SendPending(const std::stop_token& stop) {
  if (pending_.empty()) return {};
  retry_ms_ = config_.retry_min_ms;
  while (!pending_.empty()) {
    const auto all = TryPending();
    if (!all) return all.error();
    if (*all) break;
    RefreshIfDue();
    if (!Pause(stop, std::exchange(retry_ms_, std::min(2 * retry_ms_, config_.retry_max_ms)))) return {};
  }
  told_.clear();
  stored_since_written_ = true;
  return {};
}

/// Tries once. True where nothing is left.
Result<bool> Flow::TryPending() {
  const std::vector<Status> outcomes = producer_->Send(pending_);
  std::vector<PreparedBatch> again;
  std::vector<PreparedBatch> refused;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].ok()) continue;
    Trouble(outcomes[i]);
    (PrepareAnew(outcomes[i].code()) ? refused : again).push_back(std::move(pending_[i]));
  }
  pending_ = std::move(again);
  if (!refused.empty()) {
    if (Status prepared = PrepareAgain(refused); !prepared.ok()) return Error(std::move(prepared));
  }
  return pending_.empty();
}

/// New batches are written down before they are sent. Where there are none, the refused ones are tried again.
Status Flow::PrepareAgain(const std::vector<PreparedBatch>& refused) {
  auto prepared = producer_->PrepareAgain(refused);
  if (!prepared) {
    Trouble(prepared.error());
    std::ranges::copy(refused, std::back_inserter(pending_));
    return {};
  }
  std::ranges::move(*prepared, std::back_inserter(pending_));
  return WriteDown();
}

Status Flow::WriteDown() {
  stored_since_written_ = false;
  const Status written = file_.Write({.files = tailer_.Positions(), .batches = pending_});
  return written.ok() ? written : written.WithContext(fmt::format("the state of {}", name()));
}

void Flow::RefreshIfDue() {
  const Tailer::Times now = Now();
  const auto interval_ms = static_cast<std::int64_t>(std::min(config_.refresh_ms, kRefreshMsMax));
  if (now.monotonic_ms - refreshed_ms_ >= interval_ms) {
    tailer_.Refresh(now);
    refreshed_ms_ = now.monotonic_ms;
  }
  for (const std::string& notice : tailer_.TakeNotices()) Tell(notice);
}

/// False where the agent is to stop.
bool Flow::Pause(const std::stop_token& stop, std::uint64_t ms) const {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, std::chrono::milliseconds(ms), [] { return false; });
  return !stop.stop_requested();
}

/// One line for each reason.
void Flow::Trouble(const Status& why) {
  if (why.message() == told_) return;
  told_ = why.message();
  Tell(fmt::format("waiting, and trying again: {}", told_));
}

void Flow::Tell(const std::string& text) const { fmt::print(stderr, "sluice: {}: {}\n", name(), text); }

}  // namespace sluice::tools
