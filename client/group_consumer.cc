// The member: what its Poll does, and its end. Leases and checkpoints are in group_leases.cc.
#include "sluice/group_consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/group_consumer_impl.h"

namespace sluice {
namespace {

using client::Checkpoint;
using client::HeldShard;
using Clock = std::chrono::steady_clock;
using Revoked = GroupConsumerOptions::Revoked;

constexpr std::chrono::seconds kFarewell(2);  // how long a member that goes tries to say so

Status Validate(const GroupConsumerOptions& options) {
  const auto invalid = [](std::string text) { return Status(Code::kInvalidArgument, std::move(text)); };
  constexpr std::chrono::hours kLong(1);
  if (options.fetch_bytes_max == 0) return invalid("fetch_bytes_max is 0");
  if (options.poll_records_max == 0) return invalid("poll_records_max is 0");
  if (options.fetch_wait.count() < 0 || options.fetch_wait > kLong) {
    return invalid("fetch_wait is not within 0 to one hour");
  }
  if (options.session_timeout.count() <= 0 || options.session_timeout > kLong) {
    return invalid("session_timeout is not within 1 ms to one hour");
  }
  if (options.release_timeout.count() < 0 || options.release_timeout > kLong) {
    return invalid("release_timeout is not within 0 to one hour");
  }
  if (options.start && options.start->kind == Position::Kind::kOffset) {
    return invalid("a consumer group begins at the oldest record, the latest, or a time; not at an offset");
  }
  return {};
}

}  // namespace

void GroupConsumer::Impl::News() {
  const std::lock_guard lock(mutex);
  ++news_count;
  changed.notify_all();
}

Status GroupConsumer::Impl::Start(std::string_view stream, std::string_view group) {
  if (Status valid = Validate(options); !valid.ok()) return valid;
  if (Status joined = membership.Join(stream, group); !joined.ok()) return joined;
  context.reset(new client::ReaderContext{.connection = *connection,
                                          .stream = std::string(stream),
                                          .stream_id = StreamId(membership.stream_id()),
                                          .follows = true,
                                          .fetch_bytes_max = options.fetch_bytes_max,
                                          .fetch_wait = options.fetch_wait,
                                          .news = [this] { News(); }});
  io.Post([this] { membership.Start(); });
  auto_commit_at = Clock::now() + options.auto_commit_interval;
  return {};
}

GroupConsumer::Impl::~Impl() {
  if (context && !left) {
    (void)CommitAndWait(options.auto_commit ? Due() : std::vector<Checkpoint>(), kFarewell);
    io.RunAndWait([this] { membership.Stop(); });
    (void)membership.Leave();
  }
  StopAll();
  io.Stop();
}

void GroupConsumer::Impl::StopAll() {
  io.RunAndWait([this] {
    membership.Stop();
    for (auto& [shard, held] : shards) held.reader->Stop();
    connection->Close();
  });
}

// ---- Poll ----------------------------------------------------------------------------------------------------------

Result<std::vector<ConsumedRecord>> GroupConsumer::Impl::Poll(std::chrono::milliseconds timeout) {
  if (left) return Error(Code::kFailedPrecondition, "this member has left its consumer group");
  const auto deadline = Clock::now() + timeout;
  if (options.auto_commit) {
    for (const std::uint32_t shard : in_turn) shards.at(shard).processed = shards.at(shard).given;
  }
  for (;;) {
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(mutex);
      seen = news_count;
    }
    auto records = Step();
    if (!records || !records->empty()) return records;
    const auto now = Clock::now();
    if (now >= deadline) return records;
    auto until = deadline;
    if (options.auto_commit && auto_commit_at > now) until = std::min(until, auto_commit_at);
    std::unique_lock lock(mutex);
    changed.wait_until(lock, until, [&] { return news_count != seen; });
  }
}

Result<std::vector<ConsumedRecord>> GroupConsumer::Impl::Step() {
  TakeOutcomes();
  TakeLeases();
  AutoCommit();
  if (Status ended = membership.ended(); !ended.ok()) return Error(std::move(ended));
  // Another member may have these shards by now; as soon as the broker is heard it is known.
  if (Clock::now() > membership.confirmed_until()) return std::vector<ConsumedRecord>();
  if (Status error = FirstError(); !error.ok()) return Error(std::move(error));
  std::vector<ConsumedRecord> records = Collect();
  if (!broken.ok()) return Error(std::exchange(broken, Status()));
  if (records.empty()) FinishShards();
  return records;
}

// Each round gives every shard an equal share of what is still wanted, until that is there or no shard has more.
std::vector<ConsumedRecord> GroupConsumer::Impl::Collect() {
  std::vector<ConsumedRecord> records;
  if (in_turn.empty()) return records;
  bool more = true;
  while (more && records.size() < options.poll_records_max) {
    const std::size_t before = records.size();
    const auto share =
        static_cast<std::uint32_t>(std::max<std::size_t>(1, (options.poll_records_max - before) / in_turn.size()));
    for (std::size_t i = 0; i < in_turn.size() && records.size() < options.poll_records_max; ++i) {
      const std::uint32_t shard = in_turn[(turn + i) % in_turn.size()];
      const std::size_t from = records.size();
      shards.at(shard).reader->Take(share, records);
      if (Status taken = TakeGiven(shard, records, from); !taken.ok()) {
        records.resize(from);
        broken = std::move(taken);
        return records;
      }
    }
    more = records.size() > before;
  }
  turn = (turn + 1) % in_turn.size();
  return records;
}

// Notes what the user gets of a shard, and what retention has taken from him.
Status GroupConsumer::Impl::TakeGiven(std::uint32_t shard, const std::vector<ConsumedRecord>& records,
                                      std::size_t from) {
  if (from == records.size()) return {};
  HeldShard& held = shards.at(shard);
  const std::uint64_t first = records[from].offset;
  if (std::exchange(held.behind, false)) {
    if (first < held.given) {
      held.reader->Pause(true);
      return {Code::kOutOfRange,
              fmt::format("consumer group: shard {} of stream '{}' has no record {}; its end was lost", shard,
                          context->stream, held.given)};
    }
    held.missed += first - held.given;
    records_missed += first - held.given;
  }
  held.given = records.back().offset + 1;
  return {};
}

// A reader that retention has passed goes on with the oldest record; all else is for the user.
Status GroupConsumer::Impl::FirstError() {
  for (const std::uint32_t shard : in_turn) {
    HeldShard& held = shards.at(shard);
    Status error = held.reader->TakeError();
    if (error.ok()) continue;
    if (error.code() != Code::kOutOfRange) return error;
    held.behind = true;
    held.reader->Seek(Position::Oldest());
  }
  return {};
}

// Shards that were read to the end that a split or a merge gave them. With automatic commits they are given back as
// soon as what they gave is processed; else the user's commit does that.
void GroupConsumer::Impl::FinishShards() {
  std::vector<std::uint32_t> finished;
  for (const std::uint32_t shard : in_turn) {
    HeldShard& held = shards.at(shard);
    if (!held.reader->finished()) continue;
    const std::uint64_t end = held.reader->progress().next_offset;
    if (std::exchange(held.behind, false) && end > held.given) {
      held.missed += end - held.given;
      records_missed += end - held.given;
    }
    const bool all_processed = held.processed == held.given;
    held.given = std::max(held.given, end);
    if (!options.auto_commit || !all_processed) continue;
    held.processed = held.given;
    finished.push_back(shard);
  }
  if (!finished.empty()) Release(finished, Revoked::kFinished);
}

// ---- the public class ----------------------------------------------------------------------------------------------

GroupConsumer::GroupConsumer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GroupConsumer::~GroupConsumer() = default;

Result<std::unique_ptr<GroupConsumer>> GroupConsumer::Join(std::string_view stream, std::string_view group,
                                                           GroupConsumerOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (Status started = impl->Start(stream, group); !started.ok()) return Error(std::move(started));
  return std::unique_ptr<GroupConsumer>(new GroupConsumer(std::move(impl)));
}

Result<std::vector<ConsumedRecord>> GroupConsumer::Poll(std::chrono::milliseconds timeout) {
  return impl_->Poll(timeout);
}

Status GroupConsumer::Commit() {
  impl_->TakeOutcomes();
  for (const std::uint32_t shard : impl_->in_turn) impl_->shards.at(shard).processed = impl_->shards.at(shard).given;
  return impl_->CommitAndWait(impl_->Due(), impl_->options.client.request_timeout);
}

Status GroupConsumer::Commit(std::uint32_t shard, std::uint64_t next_offset) {
  impl_->TakeOutcomes();
  HeldShard* const held = impl_->Find(shard);
  if (held == nullptr) {
    return {Code::kFenced, fmt::format("shard {} of stream '{}' is not this member's", shard, impl_->context->stream)};
  }
  if (next_offset > held->given) {
    return {Code::kInvalidArgument,
            fmt::format("Poll has given shard {} up to offset {}, not to {}", shard, held->given, next_offset)};
  }
  if (next_offset <= held->committed) return {};
  held->processed = std::max(held->processed, next_offset);
  return impl_->CommitAndWait({{shard, held->epoch, next_offset, std::exchange(held->missed, 0), false}},
                              impl_->options.client.request_timeout);
}

void GroupConsumer::CommitAsync(std::function<void(const Status&)> done) {
  impl_->TakeOutcomes();
  for (const std::uint32_t shard : impl_->in_turn) impl_->shards.at(shard).processed = impl_->shards.at(shard).given;
  impl_->Send(impl_->Due(), Clock::now() + impl_->options.client.request_timeout, std::move(done));
}

Status GroupConsumer::Leave() { return impl_->Leave(); }

std::vector<std::uint32_t> GroupConsumer::shards() const { return impl_->in_turn; }

std::vector<ShardProgress> GroupConsumer::progress() const {
  std::vector<ShardProgress> progress;
  for (const std::uint32_t shard : impl_->in_turn) {
    const HeldShard& held = impl_->shards.at(shard);
    progress.push_back({shard, held.given, held.reader->progress().end_offset});
  }
  return progress;
}

GroupConsumerStats GroupConsumer::stats() const { return {impl_->records_missed, impl_->membership.joins()}; }

}  // namespace sluice
