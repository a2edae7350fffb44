// What a member does when shards come and go, and how it commits.
#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "client/group_consumer_impl.h"

namespace sluice {
namespace {

using client::Checkpoint;
using client::GroupMembership;
using client::HeldShard;
using client::Lease;
using Clock = std::chrono::steady_clock;
using Revoked = GroupConsumerOptions::Revoked;

constexpr std::uint64_t kFetchBytesMin = 64u << 10;

std::string ListOf(const std::vector<std::uint32_t>& shards) {
  return fmt::format("shard{} {}", shards.size() == 1 ? "" : "s", fmt::join(shards, ", "));
}

}  // namespace

// ---- leases --------------------------------------------------------------------------------------------------------

void GroupConsumer::Impl::TakeLeases() {
  const auto now = membership.TakeLeases();
  if (!now) return;
  std::map<std::uint32_t, Lease> leases;
  for (const Lease& lease : *now) leases[lease.shard] = lease;
  GiveUp(leases);
  Adopt(leases);
}

void GroupConsumer::Impl::GiveUp(const std::map<std::uint32_t, Lease>& leases) {
  std::vector<std::uint32_t> moved;
  std::map<Revoked, std::vector<std::uint32_t>> over;
  for (const std::uint32_t shard : in_turn) {
    HeldShard& held = shards.at(shard);
    const auto lease = leases.find(shard);
    if (lease != leases.end() && lease->second.epoch == held.epoch) {
      if (lease->second.asked_back) moved.push_back(shard);
      continue;
    }
    // The broker ends a lease itself where all of a closed shard is committed.
    const Revoked nothing_lost = held.reader->finished() ? Revoked::kFinished : Revoked::kMoved;
    over[held.committed == held.given ? nothing_lost : Revoked::kLost].push_back(shard);
    Park(held);
  }
  SetTurns();
  for (const auto& [why, revoked] : over) Tell(revoked, why);
  if (!moved.empty()) Release(moved, Revoked::kMoved);
}

// The callback may commit; what is processed then goes with the release.
void GroupConsumer::Impl::Release(const std::vector<std::uint32_t>& released, Revoked why) {
  Tell(released, why);
  TakeOutcomes();
  std::vector<Checkpoint> checkpoints;
  for (const std::uint32_t shard : released) {
    HeldShard& held = shards.at(shard);
    checkpoints.push_back({shard, held.epoch, held.processed, std::exchange(held.missed, 0), true});
    Park(held);
  }
  SetTurns();
  Send(std::move(checkpoints), std::nullopt, {});
}

void GroupConsumer::Impl::Park(HeldShard& held) {
  held.leased = false;
  held.behind = false;
  held.reader->Pause(true);
  held.reader->Seek(Position::AtOffset(held.given));  // drops what was read ahead
}

// A lease that was given up, perhaps just now as it was asked back, is in the broker's lists until it has heard of it.
void GroupConsumer::Impl::Adopt(const std::map<std::uint32_t, Lease>& leases) {
  std::vector<std::uint32_t> adopted;
  for (const auto& [shard, lease] : leases) {
    HeldShard& held = shards[shard];
    if (held.leased || lease.epoch <= held.epoch) continue;
    held.leased = true;
    held.epoch = lease.epoch;
    held.given = held.processed = held.committed = lease.next_offset;
    held.missed = 0;
    const Position start = Position::AtOffset(lease.next_offset);
    if (!held.reader) {
      held.reader = std::make_unique<client::ShardReader>(*context, shard, start);
    } else {
      held.reader->Seek(start);
      held.reader->Pause(false);
    }
    adopted.push_back(shard);
  }
  if (adopted.empty()) return;
  SetTurns();
  for (const std::uint32_t shard : adopted) shards.at(shard).reader->Start();
  if (options.on_assigned) options.on_assigned(adopted);
}

void GroupConsumer::Impl::Tell(const std::vector<std::uint32_t>& revoked, Revoked why) const {
  if (!revoked.empty() && options.on_revoked) options.on_revoked(revoked, why);
}

void GroupConsumer::Impl::SetTurns() {
  in_turn.clear();
  for (const auto& [shard, held] : shards) {
    if (held.leased) in_turn.push_back(shard);
  }
  const std::uint64_t part = options.buffer_bytes_max / (2 * std::max<std::size_t>(in_turn.size(), 1));
  context->fetch_bytes_max = std::min(options.fetch_bytes_max, std::max(kFetchBytesMin, part));
}

HeldShard* GroupConsumer::Impl::Find(std::uint32_t shard) {
  const auto found = shards.find(shard);
  return found == shards.end() || !found->second.leased ? nullptr : &found->second;
}

// ---- checkpoints ---------------------------------------------------------------------------------------------------

std::vector<Checkpoint> GroupConsumer::Impl::Due() {
  std::vector<Checkpoint> checkpoints;
  for (const std::uint32_t shard : in_turn) {
    HeldShard& held = shards.at(shard);
    if (held.processed > held.committed) {
      checkpoints.push_back({shard, held.epoch, held.processed, std::exchange(held.missed, 0), false});
    }
  }
  return checkpoints;
}

void GroupConsumer::Impl::AutoCommit() {
  if (!options.auto_commit || Clock::now() < auto_commit_at) return;
  {
    const std::lock_guard lock(mutex);
    if (committing) return;
  }
  auto_commit_at = Clock::now() + options.auto_commit_interval;
  std::vector<Checkpoint> due = Due();
  if (due.empty()) return;
  {
    const std::lock_guard lock(mutex);
    committing = true;
  }
  Send(std::move(due), std::nullopt, [this](const Status&) {
    const std::lock_guard lock(mutex);
    committing = false;
  });
}

void GroupConsumer::Impl::Send(std::vector<Checkpoint> checkpoints, std::optional<GroupMembership::Time> deadline,
                               std::function<void(const Status&)> done) {
  io.Post([this, checkpoints = std::move(checkpoints), deadline, done = std::move(done)]() mutable {
    auto answered = [this, checkpoints, done = std::move(done)](Result<std::vector<std::uint32_t>> fenced) {
      {
        const std::lock_guard lock(mutex);
        outcomes.push_back({checkpoints, fenced ? *fenced : std::vector<std::uint32_t>(), !fenced});
      }
      Status status = fenced ? Status() : fenced.error();
      if (fenced && !fenced->empty()) {
        status =
            Status(Code::kFenced, fmt::format("{} of stream '{}' {} no longer this member's; what was not "
                                              "committed is processed again by another",
                                              ListOf(*fenced), context->stream, fenced->size() == 1 ? "is" : "are"));
      }
      if (done) done(status);
      News();
    };
    membership.Commit(std::move(checkpoints), deadline, std::move(answered));
  });
}

Status GroupConsumer::Impl::CommitAndWait(std::vector<Checkpoint> checkpoints, std::chrono::milliseconds patience) {
  if (checkpoints.empty()) return {};
  std::promise<Status> promise;
  auto future = promise.get_future();
  Send(std::move(checkpoints), Clock::now() + patience,
       [&promise](const Status& status) { promise.set_value(status); });
  Status status = future.get();
  TakeOutcomes();
  return status;
}

void GroupConsumer::Impl::TakeOutcomes() {
  std::vector<Outcome> taken;
  {
    const std::lock_guard lock(mutex);
    taken.swap(outcomes);
  }
  for (const Outcome& outcome : taken) {
    for (const Checkpoint& checkpoint : outcome.checkpoints) {
      if (outcome.failed) {
        TakeFailed(checkpoint);
        continue;
      }
      HeldShard& held = shards.at(checkpoint.shard);
      const bool is_fenced = std::ranges::find(outcome.fenced, checkpoint.shard) != outcome.fenced.end();
      if (is_fenced || !held.leased || held.epoch != checkpoint.epoch) continue;
      held.committed = std::max(held.committed, checkpoint.next_offset);
    }
  }
}

// What it had to say is said with the next one. A shard that could not be given back is this member's again, as soon as
// the broker says so.
void GroupConsumer::Impl::TakeFailed(const Checkpoint& checkpoint) {
  HeldShard& held = shards.at(checkpoint.shard);
  if (held.epoch != checkpoint.epoch) return;
  held.missed += checkpoint.missed;
  if (held.leased) return;
  --held.epoch;
  io.Post([this] { membership.AskAnew(); });
}

Status GroupConsumer::Impl::Leave() {
  if (left) return {};
  for (const std::uint32_t shard : in_turn) shards.at(shard).processed = shards.at(shard).given;
  const Status committed = CommitAndWait(Due(), options.client.request_timeout);
  io.RunAndWait([this] { membership.Stop(); });
  const Status gone = membership.Leave();
  left = true;
  for (auto& [shard, held] : shards) Park(held);
  SetTurns();
  return committed.ok() ? gone : committed;
}

}  // namespace sluice
