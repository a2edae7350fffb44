// The consumer: order, positions, waiting, pausing, fairness, and what it says about damage, retention and deleted
// streams.
#include "sluice/consumer.h"

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "protocol/batch.h"
#include "protocol/frame.h"
#include "tests/catch.h"
#include "tests/client/fake_broker.h"

namespace sluice {
namespace {

using protocol::wire::Operation;
using protocol::wire::ReadFrom;
using protocol::wire::ReadRequest;
using test::FakeBroker;
using test::Message;
using test::PeerPtr;
using namespace std::chrono_literals;

constexpr auto kPatience = 10s;

ConsumerOptions OptionsFor(const FakeBroker& broker) {
  ConsumerOptions options;
  options.client.address = broker.address();
  options.client.retry_backoff_min = 1ms;
  options.client.retry_backoff_max = 5ms;
  options.fetch_wait = 60s;
  return options;
}

std::unique_ptr<Consumer> OpenConsumer(ConsumerOptions options) {
  auto consumer = Consumer::Open("orders", std::move(options));
  INFO((consumer ? "" : consumer.error().ToString()));
  REQUIRE(consumer.has_value());
  return std::move(*consumer);
}

// "shard:offset:value" of the next `count` records.
std::vector<std::string> Read(Consumer& consumer, std::size_t count) {
  std::vector<std::string> texts;
  while (texts.size() < count) {
    const auto records = consumer.Poll(kPatience);
    INFO((records ? "" : records.error().ToString()));
    REQUIRE(records.has_value());
    REQUIRE_FALSE(records->empty());
    for (const ConsumedRecord& record : *records) {
      texts.push_back(std::to_string(record.shard) + ":" + std::to_string(record.offset) + ":" + record.value);
    }
  }
  return texts;
}

Status ErrorOf(Consumer& consumer) {
  const auto records = consumer.Poll(kPatience);
  REQUIRE_FALSE(records.has_value());
  return records.error();
}

bool Mentions(const Status& status, std::string_view text) { return status.message().find(text) != std::string::npos; }

using Texts = std::vector<std::string>;

TEST_CASE("Consumer Open: refuses what cannot be read", "[client]") {
  FakeBroker broker(2);
  ConsumerOptions options = OptionsFor(broker);
  CHECK(Consumer::Open("nothing", options).error().code() == Code::kNotFound);
  options.shards = {0, 2};
  CHECK(Consumer::Open("orders", options).error().code() == Code::kNotFound);
  options = OptionsFor(broker);
  options.fetch_bytes_max = 0;
  CHECK(Consumer::Open("orders", options).error().code() == Code::kInvalidArgument);
  options = OptionsFor(broker);
  options.poll_records_max = 0;
  CHECK(Consumer::Open("orders", options).error().code() == Code::kInvalidArgument);
  options = OptionsFor(broker);
  options.fetch_wait = 2h;
  CHECK(Consumer::Open("orders", options).error().code() == Code::kInvalidArgument);
}

TEST_CASE("Consumer Poll: gives every record once and in order", "[client]") {
  FakeBroker broker;
  broker.Store(0, {"a", "b"});
  broker.Store(0, {"c"});
  const auto consumer = OpenConsumer(OptionsFor(broker));
  CHECK(Read(*consumer, 3) == Texts{"0:0:a", "0:1:b", "0:2:c"});
  broker.Store(0, {"d"});
  CHECK(Read(*consumer, 1) == Texts{"0:3:d"});
  const auto progress = consumer->progress();
  REQUIRE(progress.size() == 1);
  CHECK(progress[0].next_offset == 4);
  CHECK(progress[0].end_offset == 4);
}

TEST_CASE("Consumer progress: what is read ahead does not count", "[client]") {
  FakeBroker broker;
  broker.Store(0, {"a", "b"});
  ConsumerOptions options = OptionsFor(broker);
  options.poll_records_max = 1;
  const auto consumer = OpenConsumer(options);
  CHECK(Read(*consumer, 1) == Texts{"0:0:a"});
  // The next answer comes while this one still has a record.
  REQUIRE(broker.WaitForMessages(Operation::kRead, 2));
  REQUIRE(consumer->Pause(0).ok());
  broker.Store(0, {"c"});
  while (consumer->progress()[0].end_offset < 3) REQUIRE(consumer->Poll(1ms).has_value());
  CHECK(consumer->progress()[0].next_offset == 1);
  REQUIRE(consumer->Resume(0).ok());
  CHECK(Read(*consumer, 2) == Texts{"0:1:b", "0:2:c"});
}

TEST_CASE("Consumer Poll: gives key, times and headers", "[client]") {
  FakeBroker broker;
  broker.Store(0, {"a"});
  const auto consumer = OpenConsumer(OptionsFor(broker));
  const auto records = consumer->Poll(kPatience);
  REQUIRE(records.has_value());
  REQUIRE(records->size() == 1);
  CHECK(records->front().key == "key");
  CHECK(records->front().timestamp_ms == 5);
  CHECK(records->front().append_time_ms == 1'000);
  CHECK(records->front().headers.empty());
}

TEST_CASE("Consumer Poll: is empty where nothing comes in time", "[client]") {
  FakeBroker broker;
  const auto consumer = OpenConsumer(OptionsFor(broker));
  const auto records = consumer->Poll(1ms);
  REQUIRE(records.has_value());
  CHECK(records->empty());
}

TEST_CASE("Consumer Poll: gives no more than poll_records_max, from all shards in turn", "[client]") {
  FakeBroker broker(3);
  for (std::uint32_t shard = 0; shard < 3; ++shard) broker.Store(shard, Texts(100, "v"));
  ConsumerOptions options = OptionsFor(broker);
  options.poll_records_max = 30;
  const auto consumer = OpenConsumer(options);
  const auto heard_of_all = [](const ShardProgress& shard) { return shard.end_offset == 100; };
  while (!std::ranges::all_of(consumer->progress(), heard_of_all)) std::this_thread::yield();
  std::map<std::uint32_t, std::uint64_t> next;
  for (std::uint64_t poll = 1; poll <= 10; ++poll) {
    const auto records = consumer->Poll(kPatience);
    REQUIRE(records.has_value());
    CHECK(records->size() == 30);
    for (const ConsumedRecord& record : *records) CHECK(record.offset == next[record.shard]++);
    CHECK(next == std::map<std::uint32_t, std::uint64_t>{{0, 10 * poll}, {1, 10 * poll}, {2, 10 * poll}});
  }
}

TEST_CASE("Consumer Open: starts where it is told to", "[client]") {
  std::promise<void> answered;
  FakeBroker broker;
  broker.Store(0, {"a", "b", "c"});
  broker.Store(0, {"d"});
  ConsumerOptions options = OptionsFor(broker);
  SECTION("in the middle of a batch") {
    options.start = Position::AtOffset(2);
    CHECK(Read(*OpenConsumer(options), 2) == Texts{"0:2:c", "0:3:d"});
  }
  SECTION("after the newest record") {
    options.start = Position::Latest();
    const auto consumer = OpenConsumer(options);
    broker.Store(0, {"e"});  // before or after the first fetch
    CHECK(Read(*consumer, 1) == Texts{"0:4:e"});
    broker.SetScript([&](const PeerPtr& peer, const Message& message) {
      if (message.header.operation != Operation::kRead) return false;
      if (protocol::wire::DecodeReadRequest(message.control)->from != ReadFrom::kLatest) return false;
      broker.Serve(peer, message);
      answered.set_value();
      return true;
    });
    REQUIRE(consumer->Seek(0, Position::Latest()).ok());
    answered.get_future().wait();
    broker.Store(0, {"f"});
    CHECK(Read(*consumer, 1) == Texts{"0:5:f"});
  }
  SECTION("at a time") {
    std::mutex mutex;
    std::vector<ReadRequest> requests;
    broker.SetScript([&](const PeerPtr&, const Message& message) {
      if (message.header.operation != Operation::kRead) return false;
      const std::lock_guard lock(mutex);
      requests.push_back(protocol::wire::DecodeReadRequest(message.control).value());
      return false;
    });
    options.start = Position::AtTime(123'456);
    CHECK(Read(*OpenConsumer(options), 4).size() == 4);
    const std::lock_guard lock(mutex);
    CHECK(requests.at(0).from == ReadFrom::kTime);
    CHECK(requests.at(0).time_ms == 123'456);
    CHECK(requests.at(0).wait_ms == 0);
    CHECK(requests.at(0).bytes_max == 4u << 20);
    if (requests.size() > 1) CHECK(requests.at(1).wait_ms == 60'000);
  }
}

TEST_CASE("Consumer: shares the buffer between its shards", "[client]") {
  std::atomic<std::uint64_t> bytes_max = 0;
  FakeBroker broker(4);
  broker.SetScript([&](const PeerPtr&, const Message& message) {
    if (message.header.operation == Operation::kRead) {
      bytes_max = protocol::wire::DecodeReadRequest(message.control)->bytes_max;
    }
    return false;
  });
  ConsumerOptions options = OptionsFor(broker);
  options.buffer_bytes_max = 8u << 20;
  const auto consumer = OpenConsumer(options);
  REQUIRE(broker.WaitForMessages(Operation::kRead, 4));
  CHECK(bytes_max == 1u << 20);
}

TEST_CASE("Consumer: reads ahead by one answer and no more", "[client]") {
  FakeBroker broker;
  for (int i = 0; i < 10; ++i) broker.Store(0, {std::string(1'000, 'x')});
  ConsumerOptions options = OptionsFor(broker);
  options.fetch_bytes_max = 1;  // one batch in each answer
  options.poll_records_max = 1;
  const auto consumer = OpenConsumer(options);
  for (std::size_t i = 1; i <= 10; ++i) {
    CHECK(Read(*consumer, 1).size() == 1);
    REQUIRE(broker.WaitForMessages(Operation::kRead, i + 1));
    CHECK(broker.messages(Operation::kRead) <= i + 2);
  }
}

TEST_CASE("Consumer: goes on where it was after a lost connection", "[client]") {
  FakeBroker broker;
  broker.Store(0, {"a"});
  const auto consumer = OpenConsumer(OptionsFor(broker));
  CHECK(Read(*consumer, 1) == Texts{"0:0:a"});
  broker.GoAway();
  broker.Store(0, {"b"});
  broker.ComeBack();
  CHECK(Read(*consumer, 1) == Texts{"0:1:b"});
}

TEST_CASE("Consumer: tries again where the broker says so", "[client]") {
  std::atomic<int> reads = 0;
  FakeBroker broker;
  broker.Store(0, {"a"});
  broker.SetScript([&](const PeerPtr& peer, const Message& message) {
    if (message.header.operation != Operation::kRead || reads++ > 2) return false;
    peer->Refuse(message, Code::kResourceExhausted, "too many waiters");
    return true;
  });
  CHECK(Read(*OpenConsumer(OptionsFor(broker)), 1) == Texts{"0:0:a"});
}

TEST_CASE("Consumer Seek: reads again from there, also while a fetch waits", "[client]") {
  FakeBroker broker;
  broker.Store(0, {"a", "b", "c"});
  const auto consumer = OpenConsumer(OptionsFor(broker));
  CHECK(Read(*consumer, 3).size() == 3);
  REQUIRE(broker.WaitForMessages(Operation::kRead, 2));  // waits at the broker for a minute
  REQUIRE(consumer->Seek(0, Position::AtOffset(1)).ok());
  CHECK(Read(*consumer, 2) == Texts{"0:1:b", "0:2:c"});
  broker.Store(0, {"d"});  // answers the fetch of before the Seek too
  CHECK(Read(*consumer, 1) == Texts{"0:3:d"});
  CHECK(consumer->Seek(1, Position::Oldest()).code() == Code::kNotFound);
}

TEST_CASE("Consumer Pause: gives nothing of the shard until Resume", "[client]") {
  FakeBroker broker(2);
  broker.Store(0, {"a"});
  broker.Store(1, {"b"});
  const auto consumer = OpenConsumer(OptionsFor(broker));
  REQUIRE(broker.WaitForMessages(Operation::kRead, 2));
  REQUIRE(consumer->Pause(0).ok());
  CHECK(Read(*consumer, 1) == Texts{"1:0:b"});
  CHECK(consumer->Poll(1ms)->empty());
  REQUIRE(consumer->Resume(0).ok());
  CHECK(Read(*consumer, 1) == Texts{"0:0:a"});
  CHECK(consumer->Pause(7).code() == Code::kNotFound);
}

TEST_CASE("Consumer: tells once that a position is out of range, other shards go on", "[client]") {
  FakeBroker broker(2);
  broker.Store(1, {"b", "c", "d", "e", "f", "g"});
  ConsumerOptions options = OptionsFor(broker);
  options.start = Position::AtOffset(5);
  const auto consumer = OpenConsumer(options);
  Texts texts;
  std::vector<Status> errors;
  while (texts.empty() || errors.empty()) {
    const auto records = consumer->Poll(kPatience);
    if (records) {
      for (const ConsumedRecord& record : *records) texts.push_back(record.value);
    } else {
      errors.push_back(records.error());
    }
  }
  CHECK(texts == Texts{"g"});
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].code() == Code::kOutOfRange);
  CHECK(Mentions(errors[0], "shard 0 of stream 'orders'"));
  CHECK(consumer->Poll(1ms)->empty());
  REQUIRE(consumer->Seek(0, Position::Oldest()).ok());
  broker.Store(0, {"a"});
  CHECK(Read(*consumer, 1) == Texts{"0:0:a"});
}

TEST_CASE("Consumer: says that all shards have stopped", "[client]") {
  FakeBroker broker;
  ConsumerOptions options = OptionsFor(broker);
  options.start = Position::AtOffset(5);
  const auto consumer = OpenConsumer(options);
  CHECK(ErrorOf(*consumer).code() == Code::kOutOfRange);
  CHECK(ErrorOf(*consumer).code() == Code::kFailedPrecondition);
}

TEST_CASE("Consumer: says that its stream was deleted, or created anew", "[client]") {
  FakeBroker broker;
  broker.Store(0, {"a"});
  const auto consumer = OpenConsumer(OptionsFor(broker));
  CHECK(Read(*consumer, 1).size() == 1);
  REQUIRE(broker.WaitForMessages(Operation::kRead, 2));
  const bool anew = GENERATE(false, true);
  broker.DeleteStream(anew);
  const Status error = ErrorOf(*consumer);
  CHECK(error.code() == Code::kNotFound);
  CHECK(Mentions(error, "'orders' (id 7) was deleted"));
  CHECK(Mentions(error, "created anew (id 8)") == anew);
}

// Passes the broker's answer to the first read on after a change.
void ChangeFirstRead(FakeBroker& broker,
                     const std::function<void(protocol::wire::ReadResponse&, std::string&)>& change) {
  auto first = std::make_shared<std::atomic<bool>>(true);
  broker.SetScript([first, change](const PeerPtr& peer, const Message& message) {
    if (message.header.operation != Operation::kRead || !first->exchange(false)) return false;
    protocol::FrameHeader header;
    header.shard = {StreamId(7), ShardIndex(0)};
    header.record_count = 2;
    protocol::BatchBuilder builder;
    builder.Add(5, "key", "a");
    builder.Add(5, "key", "b");
    std::string batch;
    builder.Finish(batch);
    protocol::FrameBuffer buffer(batch.size());
    std::copy(batch.begin(), batch.end(), buffer.batch().begin());
    std::string body(protocol::Frame::Seal(std::move(buffer), header).bytes());
    protocol::wire::ReadResponse response{.next_offset = 2, .oldest_offset = 0, .end_offset = 2, .first_offset = 0};
    change(response, body);
    peer->Answer(message, Encode(response).view(), body);
    return true;
  });
}

/// A frame of shard 0 with one record.
std::string FrameOf(std::uint64_t offset, std::string_view value) {
  protocol::BatchBuilder builder;
  builder.Add(5, "key", value);
  std::string batch;
  builder.Finish(batch);
  protocol::FrameBuffer buffer(batch.size());
  std::copy(batch.begin(), batch.end(), buffer.batch().begin());
  protocol::FrameHeader header;
  header.shard = {StreamId(7), ShardIndex(0)};
  header.base_offset = Offset(offset);
  header.record_count = 1;
  return std::string(protocol::Frame::Seal(std::move(buffer), header).bytes());
}

TEST_CASE("Consumer: damaged answers stop the shard and are never skipped", "[client]") {
  FakeBroker broker;
  broker.Store(0, {"a", "b"});
  const int kind = GENERATE(range(0, 6));
  ChangeFirstRead(broker, [kind](protocol::wire::ReadResponse& response, std::string& body) {
    if (kind == 0) body.back() ^= 1;
    if (kind == 1) body.pop_back();
    if (kind == 2) body.append("x");
    if (kind == 3) body[12] ^= 1;  // another shard's
    if (kind == 4) response.next_offset = 0;
    if (kind == 5) body.clear();
  });
  const auto consumer = OpenConsumer(OptionsFor(broker));
  Status error;
  while (error.ok()) {
    const auto records = consumer->Poll(kPatience);
    if (!records) error = records.error();
  }
  CHECK(error.code() == Code::kCorruption);
  CHECK(Mentions(error, "shard 0"));
  REQUIRE(consumer->Seek(0, Position::Oldest()).ok());
  CHECK(Read(*consumer, 2) == Texts{"0:0:a", "0:1:b"});
}

TEST_CASE("Consumer: passes over what was lost and given up, and over nothing else", "[client]") {
  FakeBroker broker;
  const bool said = GENERATE(true, false);  // by first_offset
  ChangeFirstRead(broker, [said](protocol::wire::ReadResponse& response, std::string& body) {
    body = FrameOf(5, "late");
    response.first_offset = said ? 5 : 3;
    response.next_offset = 6;
  });
  ConsumerOptions options = OptionsFor(broker);
  options.start = Position::AtOffset(3);
  const auto consumer = OpenConsumer(options);
  if (said) {
    CHECK(Read(*consumer, 1) == Texts{"0:5:late"});
    CHECK(consumer->progress().front().next_offset == 6);
  } else {
    CHECK(ErrorOf(*consumer).code() == Code::kCorruption);
  }
}

TEST_CASE("Consumer: a gap in the offsets is an error", "[client]") {
  FakeBroker broker;
  ChangeFirstRead(broker, [](protocol::wire::ReadResponse& response, std::string& body) {
    body.append(FrameOf(5, "late"));
    response.next_offset = 6;
  });
  const auto consumer = OpenConsumer(OptionsFor(broker));
  CHECK(Read(*consumer, 2) == Texts{"0:0:a", "0:1:b"});
  const Status error = ErrorOf(*consumer);
  CHECK(error.code() == Code::kCorruption);
  CHECK(Mentions(error, "from offset 2 to 4"));
}

}  // namespace
}  // namespace sluice
