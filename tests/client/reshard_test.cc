// Producer and consumer while shards are split and merged: nothing is lost, stored twice, or out of order per key.
#include <future>
#include <map>
#include <mutex>

#include "sluice/consumer.h"
#include "tests/client/producer_fixture.h"

namespace sluice::test {
namespace {

constexpr auto kPatience = 10s;

// Values are "key:number". The numbers of each key, over the shards in the order given.
std::map<std::string, std::vector<int>> ByKey(FakeBroker& broker, const std::vector<std::uint32_t>& shards) {
  std::map<std::string, std::vector<int>> numbers;
  for (const std::uint32_t shard : shards) {
    for (const std::string& value : broker.Values(shard)) {
      const auto colon = value.find(':');
      numbers[value.substr(0, colon)].push_back(std::stoi(value.substr(colon + 1)));
    }
  }
  return numbers;
}

void CheckInOrder(const std::map<std::string, std::vector<int>>& numbers, int keys, int each) {
  CHECK(std::cmp_equal(numbers.size(), keys));
  for (const auto& [key, found] : numbers) {
    INFO(key);
    REQUIRE(std::cmp_equal(found.size(), each));
    for (int i = 0; i < each; ++i) CHECK(found[static_cast<std::size_t>(i)] == i);
  }
}

void SendRound(Producer& producer, int keys, int number) {
  for (int key = 0; key < keys; ++key) {
    const std::string name = "k" + std::to_string(key);
    REQUIRE(producer.Send(name, name + ":" + std::to_string(number)).ok());
  }
}

ProducerOptions SmallBatches(const FakeBroker& broker) {
  ProducerOptions options = OptionsFor(broker);
  options.batch_bytes_max = 200;
  options.compression = GENERATE(CompressionType::kNone, CompressionType::kZstd);
  return options;
}

TEST_CASE("Producer: records of a shard that was split go to its children in order", "[client]") {
  FakeBroker broker;
  const auto producer = OpenProducer(SmallBatches(broker));
  for (int number = 0; number < 60; ++number) {
    SendRound(*producer, 10, number);
    if (number == 20) broker.Split(0);
    if (number == 40) broker.Split(2);
  }
  REQUIRE(producer->Flush().ok());
  CheckInOrder(ByKey(broker, {0, 1, 2, 3, 4}), 10, 60);
  CHECK(!broker.Values(1).empty());
  CHECK(producer->stats().records_acknowledged == 600);
  CHECK(producer->stats().bytes_buffered == 0);
}

TEST_CASE("Producer: records of two shards that were merged go to their child in order", "[client]") {
  FakeBroker broker(2);
  const auto producer = OpenProducer(SmallBatches(broker));
  for (int number = 0; number < 60; ++number) {
    SendRound(*producer, 10, number);
    if (number == 20) broker.Merge(0, 1);
    if (number == 30) REQUIRE(producer->Flush().ok());
    if (number == 40) broker.Split(2);
  }
  REQUIRE(producer->Flush().ok());
  CheckInOrder(ByKey(broker, {0, 1, 2, 3, 4}), 10, 60);
  CHECK(!broker.Values(2).empty());
}

TEST_CASE("Producer: a report names the shard and offset where the record is", "[client]") {
  FakeBroker broker;
  const auto producer = OpenProducer(OptionsFor(broker));
  broker.Split(0);
  const DeliveryReport report = producer->SendFuture("key", "key:0").get();
  REQUIRE(report.status.ok());
  CHECK((report.shard == 1 || report.shard == 2));
  CHECK(report.offset == 0);
  CHECK(broker.Values(report.shard) == std::vector<std::string>{"key:0"});
}

TEST_CASE("Producer: what a closed shard has is not stored again", "[client]") {
  FakeBroker broker;
  const auto producer = OpenProducer(OptionsFor(broker));
  // Stored, but the answer is lost; when it is sent again the shard is closed.
  ScriptAppends(broker, {{0, [](FakeBroker& fake, const PeerPtr& peer, const Message& message) {
                            BreakAfterStoring(fake, peer, message);
                            fake.Split(0);
                            return true;
                          }}});
  const DeliveryReport first = producer->SendFuture("key", "key:0").get();
  REQUIRE(first.status.ok());
  CHECK(first.shard == 0);
  CHECK(producer->SendFuture("key", "key:1").get().shard != 0);
  CheckInOrder(ByKey(broker, {0, 1, 2}), 1, 2);
}

TEST_CASE("Producer: new shards wait for what closed ones have not answered", "[client]") {
  FakeBroker broker(3);
  const auto producer = OpenProducer(OptionsFor(broker));
  // Of the merged shards one knows; the other one's append has no answer yet.
  std::mutex mutex;
  std::vector<std::pair<PeerPtr, Message>> kept;
  broker.SetScript([&](const PeerPtr& peer, const Message& message) {
    if (message.header.operation != Operation::kAppend) return false;
    const auto request = protocol::wire::DecodeAppendRequest(message.control);
    const std::lock_guard lock(mutex);
    if (request->shard != 0 || !kept.empty()) return false;
    kept.emplace_back(peer, message);
    return true;
  });
  REQUIRE(producer->SendToShard(0, "a", "a:0").ok());
  REQUIRE(broker.WaitForMessages(Operation::kAppend, 1));
  broker.Merge(0, 1);
  // The producer knows of the new shard once it takes nothing for the old ones. "a" and "c" belong to shard 0.
  Status taken;
  do taken = producer->SendToShard(1, "c", "c:0");
  while (taken.ok());
  CHECK(taken.code() == Code::kShardClosed);
  REQUIRE(producer->Send("a", "a:1").ok());
  // Sent behind it, and acknowledged: had "a:1" been sent, it would be there.
  std::promise<Status> other;
  REQUIRE(
      producer->SendToShard(2, "z", "z:0", [&](const DeliveryReport& report) { other.set_value(report.status); }).ok());
  REQUIRE(other.get_future().get().ok());
  CHECK(broker.Values(3).empty());
  {
    const std::lock_guard lock(mutex);
    broker.Serve(kept.front().first, kept.front().second);
  }
  REQUIRE(producer->Flush().ok());
  CheckInOrder({{"a", ByKey(broker, {3})["a"]}}, 1, 2);
  CHECK(producer->SendToShard(0, "a", "a:2").code() == Code::kShardClosed);
  CHECK(producer->SendToShard(7, "a", "a:2").code() == Code::kNotFound);
}

TEST_CASE("Producer: callbacks of records that go elsewhere are called once, in order", "[client]") {
  FakeBroker broker;
  ProducerOptions options = OptionsFor(broker);
  options.linger = 1h;
  const auto producer = OpenProducer(options);
  std::map<std::uint32_t, std::vector<std::uint64_t>> offsets;  // the client's own thread, until Flush
  for (int i = 0; i < 100; ++i) {
    const auto callback = [&](const DeliveryReport& report) { offsets[report.shard].push_back(report.offset); };
    REQUIRE(producer->Send(i % 5 == 0 ? "" : "k" + std::to_string(i), std::to_string(i), callback).ok());
  }
  broker.Split(0);
  REQUIRE(producer->Flush().ok());
  CHECK(offsets[1].size() + offsets[2].size() == 100);
  for (const auto& [shard, of_shard] : offsets) {
    for (std::size_t i = 0; i < of_shard.size(); ++i) CHECK(of_shard[i] == i);
  }
}

TEST_CASE("Producer: a shard that is closed and not replaced in time is a failure", "[client]") {
  FakeBroker broker;
  ProducerOptions options = OptionsFor(broker);
  options.delivery_timeout = 100ms;
  const auto producer = OpenProducer(options);
  ScriptAppends(broker, {{0, RefuseWith(Code::kShardClosed)}});  // the description goes on naming it
  const Status status = producer->SendFuture("key", "0").get().status;
  CHECK(status.code() == Code::kTimedOut);
  CHECK(Mentions(status, "as the test wants it"));
}

// ---- consumer ----

std::unique_ptr<Consumer> OpenConsumer(const FakeBroker& broker, Position start,
                                       std::vector<std::uint32_t> shards = {}) {
  ConsumerOptions options;
  options.client.address = broker.address();
  options.client.retry_backoff_min = 1ms;
  options.client.retry_backoff_max = 5ms;
  options.fetch_wait = 60s;
  options.start = start;
  options.shards = std::move(shards);
  auto consumer = Consumer::Open("orders", std::move(options));
  REQUIRE(consumer.has_value());
  return std::move(*consumer);
}

std::vector<std::string> Read(Consumer& consumer, std::size_t count) {
  std::vector<std::string> values;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (values.size() < count && std::chrono::steady_clock::now() < deadline) {
    const auto records = consumer.Poll(kPatience);
    REQUIRE(records.has_value());
    for (const ConsumedRecord& record : *records) values.push_back(record.value);
  }
  return values;
}

using Texts = std::vector<std::string>;

TEST_CASE("Consumer: reads parents before children, from the oldest record on", "[client]") {
  FakeBroker broker;
  broker.Store(0, {"a", "b"});
  broker.Split(0);
  broker.Store(1, {"c"});
  broker.Merge(1, 2);
  broker.Store(3, {"d"});
  const auto consumer = OpenConsumer(broker, Position::Oldest());
  CHECK(Read(*consumer, 4) == Texts{"a", "b", "c", "d"});
  broker.Store(3, {"e"});
  CHECK(Read(*consumer, 1) == Texts{"e"});
}

TEST_CASE("Consumer: goes on with children that come while it reads", "[client]") {
  FakeBroker broker;
  broker.Store(0, {"old"});
  const bool latest = GENERATE(false, true);
  const auto consumer = OpenConsumer(broker, latest ? Position::Latest() : Position::Oldest());
  if (!latest) CHECK(Read(*consumer, 1) == Texts{"old"});
  broker.Store(0, {"a"});
  broker.Split(0);
  broker.Store(2, {"b"});
  CHECK(Read(*consumer, 2) == Texts{"a", "b"});
  broker.Merge(1, 2);
  broker.Store(3, {"c"});
  CHECK(Read(*consumer, 1) == Texts{"c"});
}

TEST_CASE("Consumer: a child waits for both parents", "[client]") {
  FakeBroker broker(2);
  const auto consumer = OpenConsumer(broker, Position::Oldest());
  REQUIRE(consumer->Pause(1).ok());
  broker.Store(0, {"a"});
  CHECK(Read(*consumer, 1) == Texts{"a"});
  broker.Store(1, {"b"});
  broker.Merge(0, 1);
  broker.Store(2, {"c"});
  // A fetch of the paused shard may have been under way: what it brings is not given.
  for (int i = 0; i < 3; ++i) {
    const auto records = consumer->Poll(10ms);
    REQUIRE(records.has_value());
    CHECK(records->empty());
  }
  REQUIRE(consumer->Resume(1).ok());
  CHECK(Read(*consumer, 2) == Texts{"b", "c"});
}

TEST_CASE("Consumer: of all shards, from latest, leaves closed ones alone", "[client]") {
  FakeBroker broker;
  broker.Store(0, {"a"});
  broker.Split(0);
  const auto consumer = OpenConsumer(broker, Position::Latest());
  broker.Store(1, {"b"});
  CHECK(Read(*consumer, 1) == Texts{"b"});
  CHECK(consumer->progress().size() == 2);
}

TEST_CASE("Consumer Seek: a finished shard can be read again", "[client]") {
  FakeBroker broker;
  broker.Store(0, {"a"});
  broker.Split(0);
  broker.Store(1, {"b"});
  const auto consumer = OpenConsumer(broker, Position::Oldest());
  CHECK(Read(*consumer, 2) == Texts{"a", "b"});
  REQUIRE(consumer->Seek(0, Position::Oldest()).ok());
  CHECK(Read(*consumer, 1) == Texts{"a"});
  broker.Store(2, {"c"});
  CHECK(Read(*consumer, 1) == Texts{"c"});
}

TEST_CASE("Consumer: of chosen shards, says once that a closed one has ended", "[client]") {
  FakeBroker broker;
  broker.Store(0, {"a"});
  broker.Split(0);
  broker.Store(1, {"b"});
  const auto consumer = OpenConsumer(broker, Position::Oldest(), {0});
  CHECK(Read(*consumer, 1) == Texts{"a"});
  auto records = consumer->Poll(kPatience);
  REQUIRE(!records.has_value());
  CHECK(records.error().code() == Code::kShardClosed);
  records = consumer->Poll(kPatience);
  REQUIRE(!records.has_value());
  CHECK(records.error().code() == Code::kFailedPrecondition);
}

}  // namespace
}  // namespace sluice::test
