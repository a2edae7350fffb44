// The producer with a broker that works: shards, batches, limits, bounded memory.
#include "sluice/producer.h"

#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "protocol/batch.h"
#include "protocol/hash_key.h"
#include "tests/catch.h"
#include "tests/client/producer_fixture.h"

namespace sluice {
namespace {

using namespace test;

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
  std::mutex mutex;
  std::string body;
  FakeBroker broker;
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

TEST_CASE("Producer Send: refuses a record with more headers than a batch takes", "[client]") {
  FakeBroker broker;
  const auto producer = OpenProducer(OptionsFor(broker));
  CHECK(producer->Send("key", "value", {}, Headers(10'001, {"h", ""})).code() == Code::kInvalidArgument);
  CHECK(producer->SendFuture("key", "value", Headers(10'000, {"h", ""})).get().status.ok());
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

TEST_CASE("Producer Send: blocks while the buffer is full, TrySend refuses", "[client]") {
  std::mutex mutex;
  std::vector<std::pair<PeerPtr, Message>> kept;
  FakeBroker broker;
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

TEST_CASE("Producer with ack none: does not wait for answers, and Flush tells a refusal", "[client]") {
  FakeBroker broker;
  ProducerOptions options = OptionsFor(broker);
  options.ack = Ack::kNone;
  const auto producer = OpenProducer(options);
  CHECK(broker.messages(Operation::kInitProducer) == 0);
  CHECK(producer->SendFuture("key", "0").get().status.ok());
  REQUIRE(broker.WaitForMessages(Operation::kAppend, 1));
  ScriptAppends(broker, {{0, RefuseWith(Code::kResourceExhausted)}});
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

TEST_CASE("Producer Flush: waits for what was sent before it, whatever other threads send", "[client]") {
  constexpr int kRecordsMax = 10'000;
  FakeBroker broker;
  std::optional<std::pair<PeerPtr, Message>> kept;  // there is always one append without an answer, until `last`
  std::atomic<bool> last = false;
  broker.SetScript([&](const PeerPtr& peer, const Message& message) {
    if (message.header.operation != Operation::kAppend) return false;
    if (kept) broker.Serve(kept->first, kept->second);
    kept.reset();
    if (last) return false;
    kept.emplace(peer, message);
    return true;
  });
  const auto producer = OpenProducer(OptionsFor(broker));
  std::atomic<bool> reported = false;
  REQUIRE(producer->Send("key", "0", [&](const DeliveryReport&) { reported = true; }).ok());
  REQUIRE(broker.WaitForMessages(Operation::kAppend, 1));
  auto flushed = std::async(std::launch::async, [&] {
    Status status = producer->Flush();
    return std::pair(std::move(status), reported.load());
  });
  int sent = 1;
  while (sent < kRecordsMax && flushed.wait_for(0s) != std::future_status::ready) {
    REQUIRE(producer->Send("key", std::to_string(sent++)).ok());
    REQUIRE(broker.WaitForMessages(Operation::kAppend, static_cast<std::size_t>(sent)));
  }
  CHECK(sent < kRecordsMax);
  last = true;
  REQUIRE(producer->Send("key", "last").ok());
  CHECK(flushed.get() == std::pair(Status(), true));
  CHECK(producer->Flush().ok());
  CHECK(producer->stats().records_acknowledged == static_cast<std::uint64_t>(sent) + 1);
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

TEST_CASE("Producer: closing waits for what callbacks send, too", "[client]") {
  constexpr int kRecords = 20;
  FakeBroker broker;
  std::atomic<int> reported = 0;
  std::atomic<int> refused = 0;
  Producer* open = nullptr;
  const Producer::Callback again = [&](const DeliveryReport&) {
    if (++reported < kRecords && !open->TrySend("key", "v", again).ok()) ++refused;
  };
  {
    const auto producer = OpenProducer(OptionsFor(broker));
    open = producer.get();
    REQUIRE(producer->Send("key", "v", again).ok());
  }
  CHECK(reported == kRecords);
  CHECK(refused == 0);
}

TEST_CASE("Producer: keeps the number of batches in flight", "[client]") {
  std::mutex mutex;
  std::vector<std::pair<PeerPtr, Message>> kept;
  std::condition_variable changed;
  FakeBroker broker;
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

}  // namespace
}  // namespace sluice
