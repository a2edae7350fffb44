// Consumer groups against the real broker in this process: members come, go and die, shards are split and merged, the
// broker is restarted. Every acknowledged record is processed, each key's in their order, and once where nobody died.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "sluice/group_consumer.h"
#include "tests/client/test_broker.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;
using Revoked = GroupConsumerOptions::Revoked;

constexpr int kKeys = 16;

/// What members have processed: for each key the numbers in the order in which they came.
class Seen {
 public:
  void Add(const ConsumedRecord& record) {
    const std::lock_guard lock(mutex_);
    numbers_[*record.key].push_back(std::stoul(record.value));
    ++count_;
  }
  void Changed() { changed_.notify_all(); }
  /// Waits for what members do; fails where it does not come about.
  template <typename Condition>
  void Await(Condition condition) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (!condition()) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      changed_.wait_for(lock, 50ms);  // each Poll of a member tells
    }
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  /// Of each key how many different ones; they must begin at 0 without a gap, new ones only in their order.
  std::map<std::string, std::size_t> Check(bool exactly_once) const {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::size_t> next;
    for (const auto& [key, numbers] : numbers_) {
      std::size_t& expected = next[key];
      for (const std::size_t number : numbers) {
        INFO("key " << key << " record " << number << " expected " << expected);
        REQUIRE(number <= expected);
        if (exactly_once) REQUIRE(number == expected);
        expected = std::max(expected, number + 1);
      }
    }
    return next;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::vector<std::size_t>> numbers_;
  std::size_t count_ = 0;
};

/// Sends records "0", "1" .. of each key, and knows what was acknowledged.
class Load {
 public:
  Load(const TestBroker& broker, const std::string& stream) : producer_(broker.OpenProducer(stream)) {}
  void Send(int records_per_key) {
    for (int i = 0; i < records_per_key; ++i) {
      for (int key = 0; key < kKeys; ++key) {
        REQUIRE(producer_->Send("key-" + std::to_string(key), std::to_string(next_)).ok());
      }
      ++next_;
    }
    REQUIRE(producer_->Flush().ok());
  }
  std::size_t per_key() const { return next_; }

 private:
  std::unique_ptr<Producer> producer_;
  std::size_t next_ = 0;
};

/// One member on a thread of its own, until it is told to leave or to die.
class Member {
 public:
  Member(const TestBroker& broker, Seen& seen, GroupConsumerOptions options = {}) {
    options.client = broker.client();
    options.session_timeout = 2s;
    options.auto_commit_interval = 20ms;
    options.fetch_wait = 200ms;
    options.poll_records_max = 50;
    consumer_ = Opened(GroupConsumer::Join("orders", "billing", options));
    thread_ = std::jthread([this, &seen](const std::stop_token& stop) { Run(stop, seen); });
  }
  ~Member() { Leave(); }

  void Leave() {
    if (!consumer_) return;
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    INFO(failure_.ToString());
    CHECK(failure_.ok());
    CHECK(consumer_->Leave().ok());
    joins_ = consumer_->stats().joins;
    consumer_.reset();
  }
  std::size_t shards() const { return shards_; }
  std::uint64_t joins() const { return joins_; }

 private:
  void Run(const std::stop_token& stop, Seen& seen) {
    while (!stop.stop_requested()) {
      const auto records = consumer_->Poll(50ms);
      if (!records) {
        failure_ = records.error();
        return;
      }
      for (const ConsumedRecord& record : *records) seen.Add(record);
      shards_ = consumer_->shards().size();
      seen.Changed();
    }
  }

  std::unique_ptr<GroupConsumer> consumer_;
  std::atomic<std::size_t> shards_{0};
  Status failure_;  // the thread's, until it is joined
  std::uint64_t joins_ = 0;
  std::jthread thread_;
};

void AwaitAll(Seen& seen, const Load& load) {
  seen.Await([&] { return seen.count() >= load.per_key() * kKeys; });
}

TEST_CASE("GroupConsumer: two members share a stream over a split and a merge, each record once", "[client]") {
  const TestBroker broker;
  const auto admin = broker.Admin();
  REQUIRE(admin->CreateStream("orders", 4).has_value());
  Seen seen;
  Load load(broker, "orders");
  load.Send(20);
  Member first(broker, seen);
  seen.Await([&] { return first.shards() == 4; });
  load.Send(20);
  Member second(broker, seen);
  seen.Await([&] { return first.shards() == 2 && second.shards() == 2; });
  load.Send(20);
  REQUIRE(admin->SplitShard("orders", 0).has_value());
  load.Send(20);
  REQUIRE(admin->MergeShards("orders", 1, 2).has_value());
  load.Send(20);
  AwaitAll(seen, load);
  seen.Await([&] {
    const auto group = admin->DescribeGroup("orders", "billing");
    return group && group->lag_records == 0;
  });
  second.Leave();
  load.Send(20);
  AwaitAll(seen, load);
  first.Leave();
  for (const auto& [key, count] : seen.Check(true)) CHECK(count == load.per_key());
  const auto group = admin->DescribeGroup("orders", "billing");
  REQUIRE(group.has_value());
  CHECK(group->lag_records == 0);
  CHECK(group->member_count == 0);
  CHECK(group->shards.size() == 7);
  CHECK(group->shards[0].state == GroupShard::State::kFinished);
}

TEST_CASE("GroupConsumer: a restart of the broker costs no member its place", "[client]") {
  TestBroker broker;
  REQUIRE(broker.Admin()->CreateStream("orders", 4).has_value());
  Seen seen;
  Load load(broker, "orders");
  Member first(broker, seen);
  Member second(broker, seen);
  seen.Await([&] { return first.shards() == 2 && second.shards() == 2; });
  load.Send(20);
  for (int i = 0; i < 2; ++i) {
    broker.Stop();
    broker.Start();
    load.Send(20);
  }
  AwaitAll(seen, load);
  first.Leave();
  second.Leave();
  CHECK(first.joins() == 1);
  CHECK(second.joins() == 1);
  for (const auto& [key, count] : seen.Check(true)) CHECK(count == load.per_key());
}

TEST_CASE("GroupConsumer: what a member has not committed is given again, and nothing else", "[client]") {
  const TestBroker broker;
  REQUIRE(broker.Admin()->CreateStream("orders", 1).has_value());
  Load load(broker, "orders");
  load.Send(10);
  GroupConsumerOptions options;
  options.client = broker.client();
  options.auto_commit = false;
  options.poll_records_max = 40;
  const auto read = [&](GroupConsumer& consumer, std::size_t count) {
    std::vector<std::uint64_t> offsets;
    while (offsets.size() < count) {
      const auto records = consumer.Poll(20s);
      REQUIRE(records.has_value());
      REQUIRE_FALSE(records->empty());
      for (const ConsumedRecord& record : *records) offsets.push_back(record.offset);
    }
    return offsets;
  };
  {
    const auto consumer = Opened(GroupConsumer::Join("orders", "billing", options));
    CHECK(read(*consumer, 40).front() == 0);
    REQUIRE(consumer->Commit().ok());
    CHECK(read(*consumer, 40).front() == 40);
    CHECK(consumer->Commit(0, 81).code() == Code::kInvalidArgument);
    REQUIRE(consumer->Commit(0, 50).ok());
    CHECK(consumer->Commit(7, 1).code() == Code::kFenced);
  }
  const auto consumer = Opened(GroupConsumer::Join("orders", "billing", options));
  CHECK(read(*consumer, 40).front() == 50);
  REQUIRE(consumer->Leave().ok());
  CHECK(consumer->Poll(1ms).error().code() == Code::kFailedPrecondition);
  const auto next = Opened(GroupConsumer::Join("orders", "billing", options));
  CHECK(read(*next, 40).front() == 90);
}

TEST_CASE("GroupConsumer: callbacks name what comes and goes, and may commit", "[client]") {
  const TestBroker broker;
  REQUIRE(broker.Admin()->CreateStream("orders", 2).has_value());
  Load load(broker, "orders");
  load.Send(2);
  GroupConsumerOptions options;
  options.client = broker.client();
  options.auto_commit = false;
  std::vector<std::vector<std::uint32_t>> assigned;
  std::vector<std::uint32_t> revoked;
  GroupConsumer* self = nullptr;
  auto first_options = options;
  first_options.on_assigned = [&](const auto& shards) { assigned.push_back(shards); };
  first_options.on_revoked = [&](const auto& shards, Revoked why) {
    CHECK(why == Revoked::kMoved);
    revoked = shards;
    CHECK(self->Commit().ok());
  };
  const auto first = Opened(GroupConsumer::Join("orders", "billing", first_options));
  self = first.get();
  std::size_t got = 0;
  while (got < 2 * kKeys) got += first->Poll(20s)->size();
  const auto second = Opened(GroupConsumer::Join("orders", "billing", options));
  while (second->shards().empty()) {
    REQUIRE(first->Poll(10ms)->empty());
    REQUIRE(second->Poll(10ms)->empty());
  }
  CHECK(assigned == std::vector<std::vector<std::uint32_t>>{{0, 1}});
  CHECK(revoked == std::vector<std::uint32_t>{1});
  CHECK(second->shards() == revoked);
  // All of it was committed: the second has nothing to read.
  CHECK(broker.Admin()->DescribeGroup("orders", "billing")->lag_records == 0);
}

TEST_CASE("GroupConsumer: one that does not come to Poll loses what is to move, and hears it", "[client]") {
  const TestBroker broker;
  const auto admin = broker.Admin();
  REQUIRE(admin->CreateStream("orders", 2).has_value());
  Load load(broker, "orders");
  load.Send(2);
  GroupConsumerOptions options;
  options.client = broker.client();
  options.auto_commit = false;
  options.release_timeout = 300ms;
  std::vector<std::uint32_t> lost;
  auto first_options = options;
  first_options.on_revoked = [&](const auto& shards, Revoked why) {
    CHECK(why == Revoked::kLost);
    lost = shards;
  };
  const auto first = Opened(GroupConsumer::Join("orders", "billing", first_options));
  std::size_t got = 0;
  while (got < 2 * kKeys) got += first->Poll(20s)->size();
  const auto second = Opened(GroupConsumer::Join("orders", "billing", options));
  std::size_t again = 0;
  while (again == 0) again = second->Poll(20s)->size();
  REQUIRE(second->shards().size() == 1);
  // The first one knows of nothing yet.
  const Status commit = first->Commit();
  CHECK(commit.code() == Code::kFenced);
  CHECK(commit.message() ==
        "shard 1 of stream 'orders' is no longer this member's; what was not committed is "
        "processed again by another");
  while (lost.empty()) REQUIRE(first->Poll(10ms).has_value());
  CHECK(lost == second->shards());
  CHECK(first->shards() == std::vector<std::uint32_t>{0});
  CHECK(admin->DescribeGroup("orders", "billing")->lag_records == again);
}

TEST_CASE("GroupConsumer: what retention removes before it is read is counted", "[client]") {
  const TestBroker broker(256u << 10);
  const auto admin = broker.Admin();
  REQUIRE(admin->CreateStream("orders", 1, {.age = std::nullopt, .bytes = 1u << 20}).has_value());
  const auto producer = broker.OpenProducer("orders");
  const auto send = [&](int records) {
    const std::string value(10'000, 'x');
    for (int i = 0; i < records; ++i) REQUIRE(producer->Send("key", value).ok());
    REQUIRE(producer->Flush().ok());
  };
  GroupConsumerOptions options;
  options.client = broker.client();
  options.fetch_bytes_max = 64u << 10;
  const auto consumer = Opened(GroupConsumer::Join("orders", "billing", options));
  send(10);
  std::size_t got = 0;
  while (got < 10) got += consumer->Poll(20s)->size();
  // More than is kept comes while nobody polls.
  send(600);
  while (admin->DescribeStream("orders")->shards[0].oldest_offset < 300) send(1);
  const std::uint64_t end = admin->DescribeStream("orders")->shards[0].end_offset;
  while (consumer->progress().front().next_offset < end) {
    const auto records = consumer->Poll(20s);
    REQUIRE(records.has_value());
    REQUIRE_FALSE(records->empty());
    got += records->size();
  }
  const std::uint64_t missed = consumer->stats().records_missed;
  CHECK(missed > 0);
  CHECK(got + missed == end);
  REQUIRE(consumer->Leave().ok());
  const auto group = admin->DescribeGroup("orders", "billing");
  REQUIRE(group.has_value());
  CHECK(group->missed_records == missed);
  CHECK(group->lag_records == 0);
}

TEST_CASE("GroupConsumer Poll: a deleted stream ends the membership", "[client]") {
  const TestBroker broker;
  const auto admin = broker.Admin();
  REQUIRE(admin->CreateStream("orders", 1).has_value());
  GroupConsumerOptions options;
  options.client = broker.client();
  const auto consumer = Opened(GroupConsumer::Join("orders", "billing", options));
  REQUIRE(consumer->Poll(0ms).has_value());
  REQUIRE(admin->DeleteStream("orders").ok());
  REQUIRE(admin->CreateStream("orders", 1).has_value());
  // Its reader hears it first, or its heartbeat.
  const auto gone = consumer->Poll(20s);
  REQUIRE_FALSE(gone.has_value());
  CHECK(gone.error().code() == Code::kNotFound);
}

TEST_CASE("GroupConsumer Join: what is refused", "[client]") {
  const TestBroker broker;
  GroupConsumerOptions options;
  options.client = broker.client();
  CHECK(GroupConsumer::Join("orders", "billing", options).error().code() == Code::kNotFound);
  REQUIRE(broker.Admin()->CreateStream("orders", 1).has_value());
  options.start = std::nullopt;
  CHECK(GroupConsumer::Join("orders", "billing", options).error().code() == Code::kNotFound);
  options.start = Position::AtOffset(3);
  CHECK(GroupConsumer::Join("orders", "billing", options).error().code() == Code::kInvalidArgument);
  options.start = Position::Latest();
  CHECK(GroupConsumer::Join("orders", "bill/ing", options).error().code() == Code::kInvalidArgument);
}

}  // namespace
}  // namespace sluice
