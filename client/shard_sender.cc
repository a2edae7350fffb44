// The life of a shard's batches between gatherer and report.
#include "client/shard_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/check.h"

namespace sluice::client {
namespace {

// As Kafka's clients count: 31 bits, after the largest comes 0.
std::int32_t SequenceAfter(std::int32_t sequence, std::uint32_t records) {
  return static_cast<std::int32_t>((static_cast<std::uint32_t>(sequence) + records) & 0x7FFF'FFFFu);
}

Outcome OutcomeOf(const Answer& answer, Ack ack) {
  if (ack == Ack::kNone) return {};
  const auto stored = protocol::wire::DecodeAppendResponse(answer.control);
  if (!stored) return {Status(Code::kCorruption, "the broker's answer to an append does not parse"), {}};
  return {Status(), *stored};
}

}  // namespace

ShardSender::ShardSender(SenderHost& host, std::uint32_t shard)
    : host_(host),
      shard_(shard),
      gatherer_(static_cast<protocol::Compression>(host.options().compression), host.options().batch_bytes_max),
      backoff_(host.options().client),
      retry_timer_(host.connection().io().context()),
      linger_timer_(host.connection().io().context()) {}

void ShardSender::Pump() {
  while (MaySend()) {
    std::unique_ptr<Batch> batch = Next();
    if (!batch) return ArmLinger();
    Send(std::move(batch));
  }
}

bool ShardSender::MaySend() const {
  if (settling_ || pausing_ || in_flight_.size() >= host_.options().batches_in_flight_max) return false;
  if (held_ || host_.state() == SendState::kNothing) return false;
  const bool anything = host_.state() == SendState::kAll && !retired_;
  return anything || MustResolve();
}

void ShardSender::Retire() {
  retired_ = true;
  gatherer_.Close();
}

std::deque<std::unique_ptr<Batch>> ShardSender::TakeAll() {
  SLUICE_CHECK(retired_ && resolved());
  auto batches = std::exchange(again_, {});
  while (auto batch = gatherer_.Take(Batch::Clock::time_point::max())) batches.push_back(std::move(batch));
  return batches;
}

std::unique_ptr<Batch> ShardSender::Next() {
  if (again_.empty()) {
    const auto now = Batch::Clock::now();
    return gatherer_.Take(host_.flushing() ? now : now - host_.options().linger);
  }
  auto batch = std::move(again_.front());
  again_.pop_front();
  return batch;
}

void ShardSender::Send(std::unique_ptr<Batch> batch) {
  const ProducerIdentity& identity = host_.identity();
  host_.CountBatch(batch->bytes != nullptr);
  if (!batch->bytes || batch->identity_generation != identity.generation) Stamp(*batch, identity);
  const protocol::wire::AppendRequest request{host_.stream_id(), shard_,
                                              static_cast<std::uint32_t>(host_.options().ack)};
  Call call{.operation = protocol::wire::Operation::kAppend,
            .control = std::string(Encode(request).view()),
            .body = batch->bytes,
            .timeout = host_.options().client.request_timeout,
            .answered = host_.options().ack != Ack::kNone};
  const std::uint64_t number = next_number_++;
  in_flight_.push_back({number, std::move(batch)});
  host_.connection().Make(std::move(call),
                          [this, number](Result<Answer> answer) { Answered(number, std::move(answer)); });
}

void ShardSender::Stamp(Batch& batch, const ProducerIdentity& identity) {
  const bool idempotent = identity.id != kNoProducer;
  const std::int32_t sequence = idempotent ? next_sequence_ : -1;
  if (!batch.bytes) {
    SLUICE_CHECK(!batch.builder.empty());
    batch.bytes = std::make_shared<std::string>();
    batch.builder.SetProducer(identity.id, identity.epoch, sequence);
    batch.builder.Finish(*batch.bytes);
  } else {
    protocol::SetProducer(*batch.bytes, identity.id, identity.epoch, sequence);
  }
  batch.identity_generation = identity.generation;
  if (idempotent) next_sequence_ = SequenceAfter(next_sequence_, batch.records);
}

void ShardSender::Answered(std::uint64_t number, Result<Answer> answer) {
  const auto found = std::ranges::find(in_flight_, number, &InFlight::number);
  SLUICE_CHECK(found != in_flight_.end());
  Outcome outcome = answer ? OutcomeOf(*answer, host_.options().ack) : Outcome{answer.error(), {}};
  if (outcome.status.ok()) {
    auto batch = std::move(found->batch);
    in_flight_.erase(found);
    backoff_.Reset();
    if (batch) host_.Report(shard_, std::move(batch), outcome);
  } else {
    found->failed = true;
    settling_ = true;
    if (found->batch) NoteFailure(*found->batch, outcome.status);
  }
  if (settling_ && std::ranges::all_of(in_flight_, &InFlight::failed)) Settle();
  if (host_.state() == SendState::kUnresolved || retired_) host_.Progressed();
  Pump();
}

void ShardSender::NoteFailure(Batch& batch, const Status& why) {
  batch.last_error = why;
  if (why.code() == Code::kUnavailable || why.code() == Code::kTimedOut) batch.maybe_stored = true;
  // A batch that the broker has would have been recognised as a duplicate.
  const bool never_stored = why.code() == Code::kFailedPrecondition || why.code() == Code::kShardClosed;
  if (never_stored || why.code() == Code::kNotFound) batch.maybe_stored = false;
}

void ShardSender::Settle() {
  settling_ = false;
  std::deque<std::unique_ptr<Batch>> failed;
  for (InFlight& one : std::exchange(in_flight_, {})) {
    if (one.batch) failed.push_back(std::move(one.batch));
  }
  if (failed.empty()) return;
  auto oldest = std::move(failed.front());
  failed.pop_front();
  again_.insert(again_.begin(), std::make_move_iterator(failed.begin()), std::make_move_iterator(failed.end()));
  Decide(std::move(oldest));
}

void ShardSender::Decide(std::unique_ptr<Batch> oldest) {
  const Status status = oldest->last_error;
  const bool idempotent = oldest->identity_generation != 0;
  const bool renew = status.code() == Code::kFailedPrecondition && idempotent && !oldest->renewed;
  const bool ends = status.code() == Code::kFenced;
  // A shard that was closed long ago is forgotten with its last record.
  const bool closed = status.code() == Code::kShardClosed || status.code() == Code::kNotFound;
  if (!status.retriable() && !renew && !ends && !closed) return host_.Report(shard_, std::move(oldest), {status, {}});
  if (renew) oldest->renewed = true;
  again_.push_front(std::move(oldest));
  if (renew) return host_.RenewIdentity();
  if (ends) return host_.End(status);
  if (closed) {
    retired_ = true;
    return host_.ShardClosed(status);
  }
  host_.Retrying(status);
  RetryLater();
}

void ShardSender::RetryLater() {
  pausing_ = true;
  retry_timer_.expires_after(backoff_.Next());
  retry_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    pausing_ = false;
    Pump();
  });
}

void ShardSender::ArmLinger() {
  const auto oldest = gatherer_.oldest();
  if (!oldest) return;
  linger_timer_.expires_at(*oldest + host_.options().linger);
  linger_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Pump();
  });
}

std::optional<Batch::Clock::time_point> ShardSender::oldest() const {
  auto oldest = gatherer_.oldest();
  const auto look_at = [&](const Batch& batch) {
    if (!oldest || batch.opened_at < *oldest) oldest = batch.opened_at;
  };
  for (const auto& batch : again_) look_at(*batch);
  for (const InFlight& one : in_flight_) {
    if (one.batch) look_at(*one.batch);
  }
  return oldest;
}

void ShardSender::Expire(Batch::Clock::time_point now) {
  const auto opened_before = now - host_.options().delivery_timeout;
  const auto report = [&](std::unique_ptr<Batch> batch) {
    const Status overdue = OverdueStatus(*batch);
    host_.Report(shard_, std::move(batch), {overdue, {}});
  };
  for (InFlight& one : in_flight_) {
    if (one.batch && one.batch->opened_at <= opened_before) report(std::move(one.batch));
  }
  while (!again_.empty() && again_.front()->opened_at <= opened_before) {
    auto batch = std::move(again_.front());
    again_.pop_front();
    report(std::move(batch));
  }
  for (auto oldest = gatherer_.oldest(); oldest && *oldest <= opened_before; oldest = gatherer_.oldest()) {
    report(gatherer_.Take(opened_before));
  }
}

Status ShardSender::OverdueStatus(const Batch& batch) const {
  std::string text =
      fmt::format("not acknowledged within the delivery time-out of {} ms; ", host_.options().delivery_timeout.count());
  text += batch.bytes ? "whether it was stored is unknown" : "it was never sent";
  if (!batch.last_error.ok()) text += "; the last error was: " + batch.last_error.ToString();
  return {Code::kTimedOut, std::move(text)};
}

void ShardSender::FailAll(const Status& why) {
  for (InFlight& one : in_flight_) {
    if (one.batch) host_.Report(shard_, std::move(one.batch), {why, {}});
  }
  for (auto& batch : std::exchange(again_, {})) host_.Report(shard_, std::move(batch), {why, {}});
  while (auto batch = gatherer_.Take(Batch::Clock::time_point::max()))
    host_.Report(shard_, std::move(batch), {why, {}});
}

void ShardSender::Stop() {
  retry_timer_.cancel();
  linger_timer_.cancel();
}

}  // namespace sluice::client
