// The producer: takes records under a memory bound, has one sender per shard, reports outcomes, renews its identity.
//
// When a shard is split or merged, its records go to the shards that follow, and keep their order per key:
//   1. the sender keeps what the broker has refused, and the producer asks which shards there are;
//   2. new routes come into force for the users' threads. Senders of shards that were not known before are held: they
//      gather, but send nothing. Senders whose shards are gone are retired: they take no record more;
//   3. once the fate of all that the retired ones have sent is known, what is left of them is put in front of the
//      batches of the shards that follow, parents before children, and nothing is held any more.
#include "sluice/producer.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "client/flushes.h"
#include "client/producer_identity.h"
#include "client/producer_options.h"
#include "client/shard_sender.h"
#include "client/stream_lookup.h"
#include "protocol/batch.h"
#include "protocol/check.h"
#include "protocol/suggest.h"

namespace sluice {
namespace {

std::uint64_t RecordBytes(std::string_view key, std::string_view value, const Headers& headers) {
  std::uint64_t bytes = key.size() + value.size();
  for (const auto& [name, content] : headers) bytes += name.size() + content.size();
  return bytes;
}

}  // namespace

struct Producer::Impl final : client::SenderHost {
  explicit Impl(ProducerOptions opts)
      : options_(std::move(opts)),
        connection_(std::make_shared<client::Connection>(io_, options_.client)),
        expiry_timer_(io_.context()),
        renew_timer_(io_.context()),
        renew_backoff_(options_.client),
        refresher_(*connection_, [this](const Result<StreamDescription>& stream) { TakeDescription(stream); }) {}
  ~Impl() override;

  // ---- any thread of the user ----
  Status Start(std::string_view stream);
  Status Queue(std::optional<std::uint32_t> shard, const client::NewRecord& record, Callback callback, bool block);
  Status Flush();
  void FlushAll();  // callbacks may send more while what was sent before is reported
  ProducerStats stats();

  // ---- the client's own thread ----
  const ProducerOptions& options() const override { return options_; }
  client::Connection& connection() override { return *connection_; }
  std::uint32_t stream_id() const override { return stream_.stream_id; }
  const client::ProducerIdentity& identity() const override { return identity_; }
  client::SendState state() const override { return state_; }
  bool flushing() const override { return flushes_.any(); }
  void Report(std::uint32_t shard, std::unique_ptr<client::Batch> batch, const client::Outcome& outcome) override;
  void CountBatch(bool again) override { ++(again ? retries_ : batches_sent_); }
  void Retrying(const Status& why) override;
  void RenewIdentity() override;
  void ShardClosed(const Status& why) override;
  void Progressed() override;
  void End(const Status& why) override;

 private:
  struct Slot {
    explicit Slot(client::SenderHost& host, std::uint32_t shard) : sender(host, shard) {}
    client::ShardSender sender;
    std::atomic<bool> pump_posted = false;
    bool retiring = false;  // the client's own thread, and so is the next one; its shard is not open any more
    bool moved = false;     // what was left has gone to the shards that follow
  };
  // Which shards are open. Values do not change once they are published.
  struct Routes {
    protocol::ShardMap map;
    std::map<std::uint32_t, Slot*> open;
    std::vector<Slot*> in_turn;
  };

  Status Reserve(std::uint64_t memory_bytes, bool block);
  void GiveBack(std::uint64_t memory_bytes);
  Result<Slot*> SlotFor(std::optional<std::uint32_t> shard, std::string_view key);
  Status Publish(const StreamDescription& stream);
  void TakeDescription(const Result<StreamDescription>& stream);
  void Reroute();
  void Move(Slot& slot);
  void PostPump(Slot& slot);
  void PumpAll();
  void FinishFlushes();
  void ArmExpiry();
  void AskForIdentity();
  void TakeIdentity(const Result<client::Answer>& answer);
  void EndNow(const Status& why);
  void Refused(const Status& why);

  const ProducerOptions options_;  // constant after construction
  client::IoThread io_;
  std::shared_ptr<client::Connection> connection_;
  StreamDescription stream_;                     // constant after Start
  client::BrokerLimits limits_;                  // constant after Start
  std::atomic<const Routes*> routes_ = nullptr;  // one of all_routes_
  std::atomic<std::size_t> next_in_turn_ = 0;
  client::Flushes flushes_;
  std::atomic<std::uint64_t> records_sent_ = 0;
  std::atomic<std::uint64_t> records_acknowledged_ = 0;
  std::atomic<std::uint64_t> records_failed_ = 0;
  std::atomic<std::uint64_t> batches_sent_ = 0;
  std::atomic<std::uint64_t> retries_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;   // buffer space, ended_
  std::uint64_t buffered_bytes_ = 0;  // guarded by mutex_
  Status first_failure_;              // guarded by mutex_; since the last Flush
  Status last_retry_;                 // guarded by mutex_; as in ProducerStats
  Status ended_;                      // guarded by mutex_; why nothing more is taken

  // The client's own thread, after Start:
  client::ProducerIdentity identity_;
  client::SendState state_ = client::SendState::kAll;
  bool ended_for_senders_ = false;
  bool finish_flushes_posted_ = false;
  boost::asio::steady_timer expiry_timer_;
  boost::asio::steady_timer renew_timer_;
  client::Backoff renew_backoff_;
  std::map<std::uint32_t, std::unique_ptr<Slot>> slots_;   // of all shards ever known: users' threads may hold one
  std::vector<std::unique_ptr<const Routes>> all_routes_;  // users' threads may look at an old one
  client::StreamRefresher refresher_;
};

Status Producer::Impl::Start(std::string_view stream) {
  if (Status valid = client::Validate(options_); !valid.ok()) return valid;
  auto description = client::LookUp(*connection_, stream);
  if (!description) return description.error();
  stream_ = std::move(*description);
  refresher_.SetStream(stream_.name, stream_.stream_id);
  // With no answers a gap in the sequence could not be told from success: there is nothing to be idempotent about.
  if (options_.idempotent && options_.ack != Ack::kNone) {
    const auto identity = client::ReadIdentity(connection_->CallAndWait(client::InitProducerCall(options_)), 1);
    if (!identity) return identity.error();
    identity_ = *identity;
  }
  if (Status published = Publish(stream_); !published.ok()) return published;
  io_.RunAndWait([this] {
    limits_ = connection_->limits();
    connection_->OnRefusal([this](const Status& why) { Refused(why); });
    ArmExpiry();
  });
  if (options_.batch_bytes_max > limits_.batch_bytes_max) {
    return {Code::kInvalidArgument, fmt::format("batch_bytes_max {} is over the broker's limit of {}",
                                                options_.batch_bytes_max, limits_.batch_bytes_max)};
  }
  return {};
}

Producer::Impl::~Impl() {
  io_.RunAndWait([this] {
    expiry_timer_.cancel();
    renew_timer_.cancel();
    refresher_.Stop();
    state_ = client::SendState::kNothing;
    for (auto& [shard, slot] : slots_) slot->sender.Stop();
    connection_->Close();
  });
  io_.Stop();
}

Status Producer::Impl::Queue(std::optional<std::uint32_t> shard, const client::NewRecord& record, Callback callback,
                             bool block) {
  const std::uint64_t record_bytes = RecordBytes(record.key, record.value, *record.headers);
  if (record_bytes > limits_.record_bytes_max) {
    return {Code::kInvalidArgument, fmt::format("a record of {} bytes is over the broker's limit of {}", record_bytes,
                                                limits_.record_bytes_max)};
  }
  if (std::cmp_greater(record.headers->size(), protocol::kRecordHeadersMax)) {
    return {Code::kInvalidArgument, fmt::format("a record with {} headers is over the limit of {}",
                                                record.headers->size(), protocol::kRecordHeadersMax)};
  }
  if (shard) {
    if (const Result<Slot*> slot = SlotFor(shard, record.key); !slot) return slot.error();
  }
  client::NewRecord accounted = record;
  accounted.memory_bytes = record_bytes + client::kRecordMemoryBytes;
  accounted.timestamp_ms =
      std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()).time_since_epoch().count();
  if (Status reserved = Reserve(accounted.memory_bytes, block && !io_.InThread()); !reserved.ok()) return reserved;
  for (;;) {
    const Result<Slot*> slot = SlotFor(shard, record.key);
    if (!slot) {
      GiveBack(accounted.memory_bytes);
      return slot.error();
    }
    const auto added = (*slot)->sender.gatherer().Add(accounted, callback);
    if (added == client::BatchGatherer::Added::kClosed) continue;  // there are new routes since
    ++records_sent_;
    if (added == client::BatchGatherer::Added::kNews) PostPump(**slot);
    return {};
  }
}

// Of a record that was not taken in the end.
void Producer::Impl::GiveBack(std::uint64_t memory_bytes) {
  const std::lock_guard lock(mutex_);
  SLUICE_CHECK(buffered_bytes_ >= memory_bytes);
  buffered_bytes_ -= memory_bytes;
  changed_.notify_all();
}

Status Producer::Impl::Reserve(std::uint64_t memory_bytes, bool block) {
  if (memory_bytes > options_.buffer_bytes_max) {
    return {Code::kInvalidArgument, fmt::format("a record of {} bytes does not fit in the buffer of {} bytes "
                                                "(buffer_bytes_max)",
                                                memory_bytes, options_.buffer_bytes_max)};
  }
  std::unique_lock lock(mutex_);
  const auto fits = [&] { return buffered_bytes_ + memory_bytes <= options_.buffer_bytes_max; };
  if (block) changed_.wait(lock, [&] { return fits() || !ended_.ok(); });
  if (!ended_.ok()) return ended_;
  if (!fits()) {
    return {Code::kResourceExhausted,
            fmt::format("the producer's buffer of {} bytes is full", options_.buffer_bytes_max)};
  }
  buffered_bytes_ += memory_bytes;
  return {};
}

Result<Producer::Impl::Slot*> Producer::Impl::SlotFor(std::optional<std::uint32_t> shard, std::string_view key) {
  const Routes& routes = *routes_.load();
  if (!shard && key.empty()) return routes.in_turn[next_in_turn_++ % routes.in_turn.size()];
  if (!shard) shard = routes.map.FindByPartitionKey(key).value;
  const auto found = routes.open.find(*shard);
  if (found != routes.open.end()) return found->second;
  // Numbers are never given twice: one below an open shard's was that of a shard once.
  if (*shard < routes.open.rbegin()->first) {
    return Error(Code::kShardClosed, fmt::format("shard {} of stream '{}' was split or merged", *shard, stream_.name));
  }
  return Error(Code::kNotFound, protocol::NoSuchShard(stream_.name, *shard, routes.open.rbegin()->first + 1));
}

// Makes the stream's open shards the ones that records go to. On the client's own thread, or before it has work.
Status Producer::Impl::Publish(const StreamDescription& stream) {
  auto map = client::ShardMapOf(stream);
  if (!map) return map.error();
  auto routes = std::make_unique<Routes>();
  routes->map = std::move(*map);
  for (const ShardDescription& shard : stream.shards) {
    std::unique_ptr<Slot>& slot = slots_[shard.shard];
    if (!slot) {
      slot = std::make_unique<Slot>(*this, shard.shard);
      slot->sender.Hold(!all_routes_.empty());
    }
    if (slot->retiring || !routes->open.emplace(shard.shard, slot.get()).second) {
      return {Code::kCorruption, fmt::format("the broker describes shard {} twice", shard.shard)};
    }
    routes->in_turn.push_back(slot.get());
  }
  routes_ = routes.get();
  for (auto& [shard, slot] : slots_) {
    if (slot->retiring || routes->open.contains(shard)) continue;
    slot->retiring = true;
    slot->sender.Retire();
  }
  all_routes_.push_back(std::move(routes));
  return {};
}

void Producer::Impl::ShardClosed(const Status& why) {
  Retrying(why);
  refresher_.Refresh();
}

void Producer::Impl::TakeDescription(const Result<StreamDescription>& stream) {
  if (ended_for_senders_) return;
  if (!stream) return EndNow(stream.error());
  if (Status published = Publish(*stream); !published.ok()) return EndNow(published);
  const auto unknown = [](const auto& slot) { return slot.second->sender.retired() && !slot.second->retiring; };
  if (std::ranges::any_of(slots_, unknown)) {
    refresher_.RefreshLater();  // it was closed after the broker had looked
  } else {
    refresher_.Succeeded();
  }
  Reroute();
}

// The third step of a reshard (see above), once it is due.
void Producer::Impl::Reroute() {
  const auto waits = [](const auto& slot) { return slot.second->retiring && !slot.second->moved; };
  const auto unresolved = [&](const auto& slot) { return waits(slot) && !slot.second->sender.resolved(); };
  if (std::ranges::none_of(slots_, waits) || std::ranges::any_of(slots_, unresolved)) return;
  for (auto& slot : slots_) {
    if (waits(slot)) Move(*slot.second);
  }
  for (auto& [shard, slot] : slots_) slot->sender.Hold(false);
  PumpAll();
}

void Producer::Impl::Move(Slot& slot) {
  slot.moved = true;
  const auto shard_of = [this](std::string_view key) {
    const Routes& routes = *routes_.load();
    if (!key.empty()) return routes.map.FindByPartitionKey(key).value;
    return std::next(routes.open.begin(), static_cast<std::ptrdiff_t>(next_in_turn_++ % routes.open.size()))->first;
  };
  for (const auto& batch : slot.sender.TakeAll()) {
    auto groups = client::Regroup(*batch, static_cast<protocol::Compression>(options_.compression), shard_of);
    for (auto& [shard, group] : groups) slots_.at(shard)->sender.PutInFront(std::move(group));
  }
}

void Producer::Impl::PostPump(Slot& slot) {
  if (slot.pump_posted.exchange(true)) return;
  io_.Post([this, &slot] {
    slot.pump_posted = false;
    if (ended_for_senders_) {
      slot.sender.FailAll(ended_);  // a record that came while the end was made known
    } else {
      slot.sender.Pump();
    }
  });
}

Status Producer::Impl::Flush() {
  if (io_.InThread())
    return {Code::kFailedPrecondition, "Flush was called in a callback, where it would wait for itself"};
  const client::Flushes::Wait wait(flushes_);
  io_.Post([this] {
    PumpAll();
    FinishFlushes();
  });
  flushes_.Await(wait);
  const std::lock_guard lock(mutex_);
  return std::exchange(first_failure_, Status());
}

void Producer::Impl::FlushAll() {
  SLUICE_CHECK(!io_.InThread());
  do static_cast<void>(Flush());
  while (stats().bytes_buffered > 0);
}

ProducerStats Producer::Impl::stats() {
  const std::lock_guard lock(mutex_);
  return {records_sent_, records_acknowledged_, records_failed_, batches_sent_, retries_, buffered_bytes_, last_retry_};
}

// Between two tasks of the client's own thread every batch that is not reported is with a sender.
void Producer::Impl::FinishFlushes() {
  finish_flushes_posted_ = false;
  std::optional<client::Flushes::Time> oldest;
  for (const auto& [shard, slot] : slots_) {
    const auto of_shard = slot->sender.oldest();
    if (of_shard && (!oldest || *of_shard < *oldest)) oldest = of_shard;
  }
  flushes_.OldestLeft(oldest);
}

void Producer::Impl::PumpAll() {
  for (auto& [shard, slot] : slots_) slot->sender.Pump();
}

void Producer::Impl::Report(std::uint32_t shard, std::unique_ptr<client::Batch> batch, const client::Outcome& outcome) {
  DeliveryReport report{.status = outcome.status, .shard = shard, .append_time_ms = outcome.stored.append_time_ms};
  (outcome.status.ok() ? records_acknowledged_ : records_failed_) += batch->records;
  for (const auto& [place, callback] : batch->callbacks) {
    if (outcome.status.ok() && options_.ack != Ack::kNone) report.offset = outcome.stored.base_offset + place;
    callback(report);
  }
  if (flushes_.any() && !std::exchange(finish_flushes_posted_, true)) io_.Post([this] { FinishFlushes(); });
  const std::lock_guard lock(mutex_);
  SLUICE_CHECK(buffered_bytes_ >= batch->memory_bytes);
  if (outcome.status.ok()) last_retry_ = Status();
  if (!outcome.status.ok() && first_failure_.ok()) first_failure_ = outcome.status;
  buffered_bytes_ -= batch->memory_bytes;
  changed_.notify_all();
}

// Of an append with ack none, whose records have been reported long ago.
void Producer::Impl::Refused(const Status& why) {
  {
    const std::lock_guard lock(mutex_);
    if (first_failure_.ok()) first_failure_ = why;
  }
  if (why.code() == Code::kFenced) End(why);
  if (why.code() == Code::kShardClosed || why.code() == Code::kNotFound) refresher_.Refresh();
}

void Producer::Impl::ArmExpiry() {
  const auto tick = std::clamp<std::chrono::milliseconds>(options_.delivery_timeout / 20, std::chrono::milliseconds(1),
                                                          std::chrono::milliseconds(1'000));
  expiry_timer_.expires_after(tick);
  expiry_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    for (auto& [shard, slot] : slots_) slot->sender.Expire(client::Batch::Clock::now());
    Progressed();
    ArmExpiry();
  });
}

void Producer::Impl::Retrying(const Status& why) {
  const std::lock_guard lock(mutex_);
  last_retry_ = why;
}

void Producer::Impl::RenewIdentity() {
  if (state_ != client::SendState::kAll) return;
  state_ = client::SendState::kUnresolved;
}

void Producer::Impl::Progressed() {
  Reroute();
  if (state_ != client::SendState::kUnresolved) return;
  const auto resolved = [](const auto& slot) { return slot.second->sender.resolved(); };
  if (!std::ranges::all_of(slots_, resolved)) return;
  state_ = client::SendState::kNothing;
  AskForIdentity();
}

void Producer::Impl::AskForIdentity() {
  connection_->Make(client::InitProducerCall(options_),
                    [this](const Result<client::Answer>& answer) { TakeIdentity(answer); });
}

void Producer::Impl::TakeIdentity(const Result<client::Answer>& answer) {
  if (ended_for_senders_) return;
  const auto identity = client::ReadIdentity(answer, identity_.generation + 1);
  if (!identity && !identity.error().retriable()) return EndNow(identity.error());
  if (!identity) {
    renew_timer_.expires_after(renew_backoff_.Next());
    renew_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) AskForIdentity();
    });
    return;
  }
  renew_backoff_.Reset();
  identity_ = *identity;
  state_ = client::SendState::kAll;
  for (auto& [shard, slot] : slots_) slot->sender.StartSequences();
  PumpAll();
}

void Producer::Impl::End(const Status& why) {
  if (state_ == client::SendState::kNothing) return;
  state_ = client::SendState::kNothing;
  EndNow(why);
}

void Producer::Impl::EndNow(const Status& why) {
  {
    const std::lock_guard lock(mutex_);
    ended_ = why;
    changed_.notify_all();
  }
  ended_for_senders_ = true;
  for (auto& [shard, slot] : slots_) slot->sender.FailAll(why);
}

Producer::Producer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Producer::~Producer() { impl_->FlushAll(); }

Result<std::unique_ptr<Producer>> Producer::Open(std::string_view stream, ProducerOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (Status started = impl->Start(stream); !started.ok()) return Error(std::move(started));
  return std::unique_ptr<Producer>(new Producer(std::move(impl)));
}

Status Producer::Send(std::string_view key, std::string_view value, Callback callback, const Headers& headers) {
  return impl_->Queue(std::nullopt, {.key = key, .value = value, .headers = &headers}, std::move(callback), true);
}

std::future<DeliveryReport> Producer::SendFuture(std::string_view key, std::string_view value, const Headers& headers) {
  const auto promise = std::make_shared<std::promise<DeliveryReport>>();
  auto future = promise->get_future();
  const Status taken =
      Send(key, value, [promise](const DeliveryReport& report) { promise->set_value(report); }, headers);
  if (!taken.ok()) promise->set_value({.status = taken});
  return future;
}

Status Producer::TrySend(std::string_view key, std::string_view value, Callback callback, const Headers& headers) {
  return impl_->Queue(std::nullopt, {.key = key, .value = value, .headers = &headers}, std::move(callback), false);
}

Status Producer::SendToShard(std::uint32_t shard, std::string_view key, std::string_view value, Callback callback,
                             const Headers& headers) {
  return impl_->Queue(shard, {.key = key, .value = value, .headers = &headers}, std::move(callback), true);
}

Status Producer::Flush() { return impl_->Flush(); }

ProducerStats Producer::stats() const { return impl_->stats(); }

}  // namespace sluice
