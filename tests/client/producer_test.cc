// The producer against a broker that fails in every way it can: order, retries, exactly-once storage and reports,
// bounded memory.
#include "sluice/producer.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "protocol/batch.h"
#include "protocol/hash_key.h"
#include "tests/catch.h"
#include "tests/client/fake_broker.h"

namespace sluice {
namespace {

using protocol::wire::Operation;
using test::FakeBroker;
using test::Message;
using test::PeerPtr;
using namespace std::chrono_literals;

ProducerOptions OptionsFor(const FakeBroker& broker) {
  ProducerOptions options;
  options.client.address = broker.address();
  options.client.retry_backoff_min = 1ms;
  options.client.retry_backoff_max = 5ms;
  options.linger = 0us;
  return options;
}

std::unique_ptr<Producer> OpenProducer(ProducerOptions options) {
  auto producer = Producer::Open("orders", std::move(options));
  INFO((producer ? "" : producer.error().ToString()));
  REQUIRE(producer.has_value());
  return std::move(*producer);
}

bool Mentions(const Status& status, std::string_view text) { return status.message().find(text) != std::string::npos; }

std::vector<std::string> Numbers(int count) {
  std::vector<std::string> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

// Lets a script count the appends and treat some of them in its own way.
class AppendScript {
 public:
  using Act = std::function<bool(FakeBroker&, const PeerPtr&, const Message&)>;
  AppendScript(FakeBroker& broker, std::map<int, Act> acts) : acts_(std::move(acts)) {
    broker.SetScript([this, &broker](const PeerPtr& peer, const Message& message) {
      if (message.header.operation != Operation::kAppend) return false;
      const auto act = acts_.find(count_++);
      return act != acts_.end() && act->second(broker, peer, message);
    });
  }

 private:
  const std::map<int, Act> acts_;
  std::atomic<int> count_ = 0;
};

bool BreakBefore(FakeBroker&, const PeerPtr& peer, const Message&) {
  peer->Break();
  return true;
}
bool BreakAfterStoring(FakeBroker& broker, const PeerPtr& peer, const Message& message) {
  broker.Serve(std::make_shared<test::Peer>(-1), message);  // the answer goes nowhere
  peer->Break();
  return true;
}
AppendScript::Act RefuseWith(Code code) {
  return [code](FakeBroker&, const PeerPtr& peer, const Message& message) {
    peer->Refuse(message, code, "as the test wants it");
    return true;
  };
}

TEST_CASE("Producer Open: says that the stream does not exist", "[client]") {
  FakeBroker broker;
  const auto producer = Producer::Open("nothing", OptionsFor(broker));
  REQUIRE_FALSE(producer.has_value());
  CHECK(producer.error().code() == Code::kNotFound);
}

TEST_CASE("Producer Open: refuses options that cannot work", "[client]") {
  FakeBroker broker;
  ProducerOptions options = OptionsFor(broker);
  const int wrong = GENERATE(range(0, 6));
  if (wrong == 0) options.batch_bytes_max = 0;
  if (wrong == 1) options.batch_bytes_max = 17u << 20;
  if (wrong == 2) options.batches_in_flight_max = 0;
  if (wrong == 3) options.batches_in_flight_max = 6;
  if (wrong == 4) options.delivery_timeout = 0ms;
  if (wrong == 5) options.buffer_bytes_max = 0;
  const auto producer = Producer::Open("orders", options);
  REQUIRE_FALSE(producer.has_value());
  CHECK(producer.error().code() == Code::kInvalidArgument);
}

TEST_CASE("Producer Send: reports shard, offset and time of each record", "[client]") {
  FakeBroker broker;
  const auto producer = OpenProducer(OptionsFor(broker));
  for (std::uint64_t i = 0; i < 3; ++i) {
    const DeliveryReport report = producer->SendFuture("key", "value").get();
    CHECK(report.status.ok());
    CHECK(report.shard == 0);
    CHECK(report.offset == i);
    CHECK(report.append_time_ms == 1'000);
  }
}

TEST_CASE("Producer Send: keys go to the shard of their MD5, empty keys to all in turn", "[client]") {
  FakeBroker broker(4);
  const auto producer = OpenProducer(OptionsFor(broker));
  const auto map = protocol::ShardMap::Uniform(4);
  for (int i = 0; i < 20; ++i) {
    const std::string key = "key-" + std::to_string(i);
    CHECK(producer->SendFuture(key, "v").get().shard == map.FindByPartitionKey(key).value);
  }
  std::map<std::uint32_t, int> in_turn;
  for (int i = 0; i < 8; ++i) ++in_turn[producer->SendFuture("", "v").get().shard];
  CHECK(in_turn == std::map<std::uint32_t, int>{{0, 2}, {1, 2}, {2, 2}, {3, 2}});
  std::promise<DeliveryReport> chosen;
  REQUIRE(producer->SendToShard(3, "key", "v", [&](const DeliveryReport& report) { chosen.set_value(report); }).ok());
  CHECK(chosen.get_future().get().shard == 3);
  CHECK(producer->SendToShard(4, "key", "v").code() == Code::kNotFound);
}

TEST_CASE("Producer Send: key, value, headers and compression arrive", "[client]") {
  FakeBroker broker;
  std::mutex mutex;
  std::string body;
  broker.SetScript([&](const PeerPtr&, const Message& message) {
    const std::lock_guard lock(mutex);
    if (message.header.operation == Operation::kAppend) body = message.body;
    return false;
  });
  ProducerOptions options = OptionsFor(broker);
  options.compression = GENERATE(CompressionType::kNone, CompressionType::kGzip, CompressionType::kSnappy,
                                 CompressionType::kLz4, CompressionType::kZstd);
  const auto producer = OpenProducer(options);
  REQUIRE(producer->Send("the key", "the value", {}, {{"name", "content"}, {"empty", ""}}).ok());
  REQUIRE(producer->Flush().ok());
  std::string scratch;
  const std::lock_guard lock(mutex);
  auto reader = protocol::BatchReader::Open(body, scratch);
  REQUIRE(reader.has_value());
  CHECK(static_cast<int>(reader->header().compression()) == static_cast<int>(options.compression));
  const auto record = reader->Next().value();
  CHECK(record->key == "the key");
  CHECK(record->value == "the value");
  REQUIRE(record->headers.size() == 2);
  CHECK(record->headers[0].key == "name");
  CHECK(record->headers[0].value == "content");
  CHECK(record->headers[1].value == "");
}

TEST_CASE("Producer Send: gathers records into batches while they linger", "[client]") {
  FakeBroker broker;
  ProducerOptions options = OptionsFor(broker);
  options.linger = 1h;
  const auto producer = OpenProducer(options);
  for (const std::string& value : Numbers(1000)) REQUIRE(producer->Send("key", value).ok());
  CHECK(broker.messages(Operation::kAppend) == 0);
  REQUIRE(producer->Flush().ok());
  CHECK(broker.messages(Operation::kAppend) == 1);
  CHECK(broker.Values(0) == Numbers(1000));
}

TEST_CASE("Producer Send: a full batch does not wait for its age", "[client]") {
  FakeBroker broker;
  ProducerOptions options = OptionsFor(broker);
  options.linger = 1h;
  options.batch_bytes_max = 1000;
  const auto producer = OpenProducer(options);
  for (int i = 0; i < 10; ++i) REQUIRE(producer->Send("key", std::string(300, 'x')).ok());
  CHECK(broker.WaitForMessages(Operation::kAppend, 4));
  REQUIRE(producer->Flush().ok());
  CHECK(broker.messages(Operation::kAppend) == 5);  // two records each
}

TEST_CASE("Producer Send: the age alone sends a batch", "[client]") {
  FakeBroker broker;
  ProducerOptions options = OptionsFor(broker);
  options.linger = 2ms;
  const auto producer = OpenProducer(options);
  CHECK(producer->SendFuture("key", "value").get().status.ok());
}

TEST_CASE("Producer Send: refuses a record over the broker's limit without a report", "[client]") {
  FakeBroker broker;
  const auto producer = OpenProducer(OptionsFor(broker));
  bool reported = false;
  const std::string value(protocol::kRecordBytesMax, 'x');
  CHECK(producer->Send("key", value, [&](const DeliveryReport&) { reported = true; }).code() == Code::kInvalidArgument);
  CHECK(producer->Send("", value).ok());  // exactly at the limit
  REQUIRE(producer->Flush().ok());
  CHECK_FALSE(reported);
}

TEST_CASE("Producer: stores each record once and in order through broken connections and refusals", "[client]") {
  FakeBroker broker;
  const AppendScript script(broker, {{1, BreakAfterStoring},
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

TEST_CASE("Producer: keeps the number of batches in flight", "[client]") {
  FakeBroker broker;
  std::mutex mutex;
  std::vector<std::pair<PeerPtr, Message>> kept;
  std::condition_variable changed;
  broker.SetScript([&](const PeerPtr& peer, const Message& message) {
    if (message.header.operation != Operation::kAppend) return false;
    const std::lock_guard lock(mutex);
    kept.emplace_back(peer, message);
    changed.notify_all();
    return true;
  });
  ProducerOptions options = OptionsFor(broker);
  options.batch_bytes_max = 100;
  options.batches_in_flight_max = 3;
  const auto producer = OpenProducer(options);
  for (int i = 0; i < 10; ++i) REQUIRE(producer->Send("key", std::string(100, 'x')).ok());
  std::size_t answered = 0;
  while (answered < 10) {
    const std::size_t expected = std::min<std::size_t>(answered + 3, 10);
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, 10s, [&] { return kept.size() >= expected; }));
    CHECK(kept.size() == expected);  // never more than three without an answer
    broker.Serve(kept[answered].first, kept[answered].second);
    ++answered;
  }
  CHECK(producer->Flush().ok());
}

TEST_CASE("Producer: a batch that can never succeed fails alone", "[client]") {
  FakeBroker broker;
  const AppendScript script(broker, {{1, RefuseWith(Code::kInvalidArgument)}});
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
  FakeBroker broker(2);
  ProducerOptions options = OptionsFor(broker);
  options.client.retry_backoff_min = 50ms;
  options.client.retry_backoff_max = 50ms;
  const auto producer = OpenProducer(options);
  std::atomic<int> appends = 0;
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
  FakeBroker broker;
  std::atomic<bool> full = true;
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
  full = false;
  CHECK(producer->SendFuture("key", "1").get().status.ok());
  CHECK(broker.Values(0) == std::vector<std::string>{"1"});
}

TEST_CASE("Producer Send: blocks while the buffer is full, TrySend refuses", "[client]") {
  FakeBroker broker;
  std::mutex mutex;
  std::vector<std::pair<PeerPtr, Message>> kept;
  broker.SetScript([&](const PeerPtr& peer, const Message& message) {
    if (message.header.operation != Operation::kAppend) return false;
    const std::lock_guard lock(mutex);
    kept.emplace_back(peer, message);
    return true;
  });
  ProducerOptions options = OptionsFor(broker);
  options.buffer_bytes_max = 2'500;
  const auto producer = OpenProducer(options);
  const std::string value(1'000, 'x');
  REQUIRE(producer->Send("key", value).ok());
  REQUIRE(producer->Send("key", value).ok());
  CHECK(producer->TrySend("key", value).code() == Code::kResourceExhausted);
  CHECK(producer->stats().bytes_buffered <= options.buffer_bytes_max);
  CHECK(producer->Send("key", std::string(2'500, 'x')).code() == Code::kInvalidArgument);
  std::atomic<bool> sent = false;
  std::thread blocked([&] {
    REQUIRE(producer->Send("key", value).ok());
    sent = true;
  });
  REQUIRE(broker.WaitForMessages(Operation::kAppend, 1));
  CHECK_FALSE(sent);
  broker.SetScript({});
  {
    const std::lock_guard lock(mutex);
    for (auto& [peer, message] : kept) broker.Serve(peer, message);
  }
  blocked.join();
  CHECK(producer->Flush().ok());
  CHECK(broker.Values(0).size() == 3);
}

TEST_CASE("Producer: many threads, many shards, a broker that breaks connections: each record once", "[client]") {
  FakeBroker broker(3);
  std::atomic<int> appends = 0;
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

TEST_CASE("Producer with ack none: does not wait for answers, and Flush tells a refusal", "[client]") {
  FakeBroker broker;
  ProducerOptions options = OptionsFor(broker);
  options.ack = Ack::kNone;
  const auto producer = OpenProducer(options);
  CHECK(broker.messages(Operation::kInitProducer) == 0);
  CHECK(producer->SendFuture("key", "0").get().status.ok());
  REQUIRE(broker.WaitForMessages(Operation::kAppend, 1));
  const AppendScript script(broker, {{0, RefuseWith(Code::kResourceExhausted)}});
  CHECK(producer->SendFuture("key", "1").get().status.ok());
  REQUIRE(broker.WaitForMessages(Operation::kAppend, 2));
  // The refusal comes before the answer to anything that is asked later.
  broker.DeleteStream(false);
  CHECK(producer->SendFuture("key", "2").get().status.ok());
  REQUIRE(broker.WaitForMessages(Operation::kDescribeStream, 2));
  CHECK(producer->Flush().code() == Code::kResourceExhausted);
}

TEST_CASE("Producer: Flush and blocking sends in a callback do not wait for themselves", "[client]") {
  FakeBroker broker;
  ProducerOptions options = OptionsFor(broker);
  options.buffer_bytes_max = 200;
  const auto producer = OpenProducer(options);
  std::promise<Code> flushed;
  std::promise<Code> sent;
  REQUIRE(producer
              ->Send("", std::string(100, 'x'),
                     [&](const DeliveryReport&) {
                       flushed.set_value(producer->Flush().code());
                       sent.set_value(producer->Send("", std::string(100, 'x')).code());
                     })
              .ok());
  CHECK(flushed.get_future().get() == Code::kFailedPrecondition);
  CHECK(sent.get_future().get() == Code::kResourceExhausted);
}

TEST_CASE("Producer: closing waits for the reports", "[client]") {
  FakeBroker broker;
  std::atomic<int> reported = 0;
  {
    ProducerOptions options = OptionsFor(broker);
    options.linger = 1h;
    const auto producer = OpenProducer(options);
    for (int i = 0; i < 10; ++i) REQUIRE(producer->Send("key", "v", [&](const DeliveryReport&) { ++reported; }).ok());
  }
  CHECK(reported == 10);
}

}  // namespace
}  // namespace sluice
