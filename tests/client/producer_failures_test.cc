// The producer against a broker that fails in every way it can: order, retries, exactly-once storage and reports.
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "sluice/producer.h"
#include "tests/catch.h"
#include "tests/client/producer_fixture.h"

namespace sluice {
namespace {

using namespace test;

TEST_CASE("Producer: stores each record once and in order through broken connections and refusals", "[client]") {
  FakeBroker broker;
  ScriptAppends(broker, {{1, BreakAfterStoring},
                         {4, BreakBefore},
                         {6, RefuseWith(Code::kResourceExhausted)},
                         {13, RefuseWith(Code::kUnavailable)},
                         {17, BreakAfterStoring},
                         {23, BreakBefore}});
  ProducerOptions options = OptionsFor(broker);
  options.batch_bytes_max = 300;
  const auto producer = OpenProducer(options);
  std::mutex mutex;
  std::map<std::uint64_t, std::vector<std::uint64_t>> offsets;  // by record
  for (std::uint64_t i = 0; i < 500; ++i) {
    const auto note = [&, i](const DeliveryReport& report) {
      const std::lock_guard lock(mutex);
      offsets[i].push_back(report.status.ok() ? report.offset : ~std::uint64_t{0});
    };
    REQUIRE(producer->Send("key", std::to_string(i), note).ok());
  }
  REQUIRE(producer->Flush().ok());
  CHECK(broker.Values(0) == Numbers(500));
  REQUIRE(offsets.size() == 500);
  for (const auto& [record, reported] : offsets) CHECK(reported == std::vector<std::uint64_t>{record});
  const ProducerStats stats = producer->stats();
  CHECK(stats.records_sent == 500);
  CHECK(stats.records_acknowledged == 500);
  CHECK(stats.records_failed == 0);
  CHECK(stats.retries > 0);
  CHECK(stats.bytes_buffered == 0);
  CHECK(broker.messages(Operation::kInitProducer) == 1);
}

TEST_CASE("Producer: survives a broker that goes away for a while", "[client]") {
  FakeBroker broker;
  const auto producer = OpenProducer(OptionsFor(broker));
  REQUIRE(producer->SendFuture("key", "0").get().status.ok());
  broker.GoAway();
  auto waiting = producer->SendFuture("key", "1");
  broker.ComeBack();
  CHECK(waiting.get().status.ok());
  CHECK(broker.Values(0) == Numbers(2));
}

TEST_CASE("Producer: a batch that can never succeed fails alone", "[client]") {
  FakeBroker broker;
  ScriptAppends(broker, {{1, RefuseWith(Code::kInvalidArgument)}});
  ProducerOptions options = OptionsFor(broker);
  options.batch_bytes_max = 1;  // one record in each
  const auto producer = OpenProducer(options);
  std::vector<std::future<DeliveryReport>> reports;
  for (const std::string& value : Numbers(6)) reports.push_back(producer->SendFuture("key", value));
  for (std::size_t i = 0; i < reports.size(); ++i) {
    CHECK(reports[i].get().status.code() == (i == 1 ? Code::kInvalidArgument : Code::kOk));
  }
  CHECK(broker.Values(0) == std::vector<std::string>{"0", "2", "3", "4", "5"});
  const Status first = producer->Flush();
  CHECK(first.code() == Code::kInvalidArgument);
  CHECK(producer->Flush().ok());  // told once
}

TEST_CASE("Producer: takes a new identity when the broker misses part of its sequence", "[client]") {
  FakeBroker broker(2);
  ProducerOptions options = OptionsFor(broker);
  const auto producer = OpenProducer(options);
  const auto send = [&](std::uint32_t shard, const std::string& value) {
    std::promise<DeliveryReport> promise;
    REQUIRE(producer->SendToShard(shard, "", value, [&](const DeliveryReport& r) { promise.set_value(r); }).ok());
    return promise.get_future().get().status;
  };
  REQUIRE(send(0, "a").ok());
  REQUIRE(send(1, "b").ok());
  broker.ForgetProducers();
  CHECK(send(0, "c").ok());
  CHECK(send(1, "d").ok());
  CHECK(broker.Values(0) == std::vector<std::string>{"a", "c"});
  CHECK(broker.Values(1) == std::vector<std::string>{"b", "d"});
  CHECK(broker.messages(Operation::kInitProducer) == 2);
}

TEST_CASE("Producer: learns the fate of all shards before it changes its identity", "[client]") {
  std::atomic<int> appends = 0;
  FakeBroker broker(2);
  ProducerOptions options = OptionsFor(broker);
  options.client.retry_backoff_min = 50ms;
  options.client.retry_backoff_max = 50ms;
  const auto producer = OpenProducer(options);
  // Shard 1's batch is stored but its answer says "unavailable"; shard 0's is refused with a gap meanwhile.
  broker.SetScript([&](const PeerPtr& peer, const Message& message) {
    if (message.header.operation != Operation::kAppend) return false;
    const auto request = protocol::wire::DecodeAppendRequest(message.control);
    const int number = appends++;
    if (number == 0) {
      broker.Serve(std::make_shared<test::Peer>(-1), message);
      peer->Refuse(message, Code::kUnavailable, "stopping");
      return true;
    }
    if (number == 1 && request->shard == 0) {
      peer->Refuse(message, Code::kFailedPrecondition, "there is a gap in the sequence");
      return true;
    }
    return false;
  });
  std::promise<DeliveryReport> one;
  std::promise<DeliveryReport> zero;
  REQUIRE(producer->SendToShard(1, "", "one", [&](const DeliveryReport& r) { one.set_value(r); }).ok());
  REQUIRE(broker.WaitForMessages(Operation::kAppend, 1));
  REQUIRE(producer->SendToShard(0, "", "zero", [&](const DeliveryReport& r) { zero.set_value(r); }).ok());
  CHECK(zero.get_future().get().status.ok());
  CHECK(one.get_future().get().status.ok());
  CHECK(broker.Values(0) == std::vector<std::string>{"zero"});
  CHECK(broker.Values(1) == std::vector<std::string>{"one"});
}

TEST_CASE("Producer: ends when a newer one of its name is at work", "[client]") {
  FakeBroker broker;
  ProducerOptions options = OptionsFor(broker);
  options.producer_name = "loader";
  const auto producer = OpenProducer(options);
  REQUIRE(producer->SendFuture("key", "0").get().status.ok());
  broker.Fence();
  CHECK(producer->SendFuture("key", "1").get().status.code() == Code::kFenced);
  CHECK(producer->Send("key", "2").code() == Code::kFenced);
  CHECK(producer->Flush().code() == Code::kFenced);
  CHECK(broker.Values(0) == Numbers(1));
}

TEST_CASE("Producer: says that its stream was deleted, or created anew", "[client]") {
  FakeBroker broker;
  const auto producer = OpenProducer(OptionsFor(broker));
  REQUIRE(producer->SendFuture("key", "0").get().status.ok());
  const bool anew = GENERATE(false, true);
  broker.DeleteStream(anew);
  const Status status = producer->SendFuture("key", "1").get().status;
  CHECK(status.code() == Code::kNotFound);
  CHECK(Mentions(status, "'orders' (id 7) was deleted"));
  CHECK(Mentions(status, "created anew (id 8)") == anew);
  CHECK(producer->Send("key", "2").code() == Code::kNotFound);
}

TEST_CASE("Producer: reports what is not acknowledged in time, once", "[client]") {
  FakeBroker broker;
  broker.SetScript(
      [](const PeerPtr&, const Message& message) { return message.header.operation == Operation::kAppend; });
  ProducerOptions options = OptionsFor(broker);
  options.delivery_timeout = 30ms;
  options.batches_in_flight_max = 1;
  options.batch_bytes_max = 1;
  const auto producer = OpenProducer(options);
  auto in_flight = producer->SendFuture("key", "0");
  auto behind = producer->SendFuture("key", "1");
  const Status first = in_flight.get().status;
  CHECK(first.code() == Code::kTimedOut);
  CHECK(Mentions(first, "whether it was stored is unknown"));
  const Status second = behind.get().status;
  CHECK(second.code() == Code::kTimedOut);
  CHECK(Mentions(second, "never sent"));
  CHECK(producer->stats().records_failed == 2);
}

TEST_CASE("Producer: an expired batch does not hold up those behind it", "[client]") {
  std::atomic<bool> full = true;
  FakeBroker broker;
  broker.SetScript([&](const PeerPtr& peer, const Message& message) {
    if (message.header.operation != Operation::kAppend || !full) return false;
    peer->Refuse(message, Code::kResourceExhausted, "the disk is full");
    return true;
  });
  ProducerOptions options = OptionsFor(broker);
  options.delivery_timeout = 500ms;
  const auto producer = OpenProducer(options);
  const Status status = producer->SendFuture("key", "0").get().status;
  CHECK(status.code() == Code::kTimedOut);
  CHECK(Mentions(status, "the disk is full"));
  CHECK(Mentions(producer->stats().last_retry, "the disk is full"));
  full = false;
  CHECK(producer->SendFuture("key", "1").get().status.ok());
  CHECK(producer->Flush().code() == Code::kTimedOut);  // of the first record; and the second is counted
  CHECK(producer->stats().last_retry.ok());
  CHECK(broker.Values(0).back() == "1");  // the last try of the first record may have been stored
}

TEST_CASE("Producer: many threads, many shards, a broker that breaks connections: each record once", "[client]") {
  std::atomic<int> appends = 0;
  FakeBroker broker(3);
  broker.SetScript([&](const PeerPtr& peer, const Message& message) {
    if (message.header.operation != Operation::kAppend || ++appends % 29 != 0) return false;
    if (appends % 2 == 0) broker.Serve(std::make_shared<test::Peer>(-1), message);
    peer->Break();
    return true;
  });
  ProducerOptions options = OptionsFor(broker);
  options.batch_bytes_max = 2'000;
  options.buffer_bytes_max = 100'000;
  const auto producer = OpenProducer(options);
  constexpr int kThreads = 4;
  constexpr int kRecords = 2'000;
  std::atomic<int> reported = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const std::string key = "key-" + std::to_string(t);
      for (int i = 0; i < kRecords; ++i) {
        const Status taken = producer->Send(key, std::to_string(t) + ":" + std::to_string(i),
                                            [&](const DeliveryReport& report) { reported += report.status.ok(); });
        if (!taken.ok()) return;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE(producer->Flush().ok());
  CHECK(reported == kThreads * kRecords);
  std::map<std::string, std::vector<int>> by_thread;
  for (std::uint32_t shard = 0; shard < 3; ++shard) {
    for (const std::string& value : broker.Values(shard))
      by_thread[value.substr(0, 1)].push_back(std::stoi(value.substr(2)));
  }
  REQUIRE(by_thread.size() == kThreads);
  for (const auto& [thread, numbers] : by_thread) {
    REQUIRE(numbers.size() == kRecords);
    CHECK(std::ranges::is_sorted(numbers));
  }
}

}  // namespace
}  // namespace sluice
