// The SDK against the real broker in this process: what goes in comes out, once and in order, also over restarts.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/client/test_broker.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 20s;

std::vector<ConsumedRecord> ReadRecords(Consumer& consumer, std::size_t count) {
  std::vector<ConsumedRecord> all;
  while (all.size() < count) {
    auto records = consumer.Poll(kPatience);
    INFO((records ? "" : records.error().ToString()));
    REQUIRE(records.has_value());
    REQUIRE_FALSE(records->empty());
    std::ranges::move(*records, std::back_inserter(all));
  }
  return all;
}

bool Mentions(const Status& status, std::string_view text) { return status.message().find(text) != std::string::npos; }

TEST_CASE("AdminClient: a stream from creation to deletion", "[client]") {
  const TestBroker broker;
  const auto admin = broker.Admin();
  const Retention retention{.age = 24h, .bytes = 1u << 30};
  const auto created = admin->CreateStream("orders", 3, retention);
  REQUIRE(created.has_value());
  CHECK(created->name == "orders");
  CHECK(created->shards.size() == 3);
  CHECK(created->shards.front().hash_first == "0");
  CHECK(created->shards.back().hash_last == "340282366920938463463374607431768211455");
  CHECK(created->retention.age == retention.age);
  CHECK(created->retention.bytes == retention.bytes);
  CHECK(admin->CreateStream("orders", 3).error().code() == Code::kAlreadyExists);
  CHECK(admin->CreateStream("not/a/name", 1).error().code() == Code::kInvalidArgument);

  const auto changed = admin->SetRetention("orders", {.age = 1h, .bytes = std::nullopt});
  REQUIRE(changed.has_value());
  CHECK(changed->retention.age == 1h);
  CHECK_FALSE(changed->retention.bytes.has_value());
  REQUIRE(broker.OpenProducer("orders")->SendFuture("key", "value").get().status.ok());
  const auto described = admin->DescribeStream("orders");
  REQUIRE(described.has_value());
  std::uint64_t records = 0;
  for (const ShardDescription& shard : described->shards) records += shard.end_offset - shard.oldest_offset;
  CHECK(records == 1);

  const auto streams = admin->ListStreams();
  REQUIRE(streams.has_value());
  REQUIRE(streams->size() == 1);
  CHECK(streams->front().stream_id == created->stream_id);
  CHECK(admin->DeleteStream("orders").ok());
  CHECK(admin->DeleteStream("orders").code() == Code::kNotFound);
  CHECK(admin->DescribeStream("orders").error().code() == Code::kNotFound);
  CHECK(admin->ListStreams()->empty());
}

// Closed shards are described for a day, and for ever where records are kept for ever.
TEST_CASE("SDK: a stream whose description is over 1 MiB", "[client]") {
  const TestBroker broker;
  const auto admin = broker.Admin();
  REQUIRE(admin->CreateStream("orders", 10'000).has_value());
  for (const std::uint32_t shards : {5'000u, 10'000u, 5'000u})
    REQUIRE(admin->ResizeStream("orders", shards).has_value());
  const auto stream = admin->DescribeStream("orders");
  REQUIRE(stream.has_value());
  CHECK(stream->shards.size() == 5'000);
  CHECK(stream->closed_shards.size() == 25'000);
  const auto producer = broker.OpenProducer("orders", {});
  CHECK(producer->SendFuture("key", "value").get().status.ok());
}

TEST_CASE("SDK: what is produced is consumed, once and in order per key", "[client]") {
  const TestBroker broker;
  REQUIRE(broker.Admin()->CreateStream("orders", 4).has_value());
  ProducerOptions options;
  options.compression = GENERATE(CompressionType::kNone, CompressionType::kGzip, CompressionType::kSnappy,
                                 CompressionType::kLz4, CompressionType::kZstd);
  options.ack = options.compression == CompressionType::kNone ? Ack::kWritten : Ack::kDurable;
  options.batch_bytes_max = 4'000;
  constexpr int kRecords = 5'000;
  constexpr int kKeys = 10;
  std::atomic<int> wrong = 0;
  {
    const auto producer = broker.OpenProducer("orders", options);
    for (int i = 0; i < kRecords; ++i) {
      REQUIRE(producer
                  ->Send("key-" + std::to_string(i % kKeys), std::to_string(i),
                         [&](const DeliveryReport& report) { wrong += !report.status.ok(); },
                         {{"number", std::to_string(i)}})
                  .ok());
    }
    REQUIRE(producer->Flush().ok());
  }
  CHECK(wrong == 0);
  const auto consumer = broker.OpenConsumer("orders");
  std::map<std::string, std::vector<int>> by_key;
  std::map<std::uint32_t, std::uint64_t> next_offset;
  for (const ConsumedRecord& record : ReadRecords(*consumer, kRecords)) {
    CHECK(record.offset == next_offset[record.shard]++);
    REQUIRE(record.headers.size() == 1);
    CHECK(record.headers[0].second == record.value);
    by_key[record.key.value_or("")].push_back(std::stoi(record.value));
  }
  CHECK(by_key.size() == kKeys);
  for (const auto& [key, numbers] : by_key) {
    CHECK(numbers.size() == kRecords / kKeys);
    CHECK(std::ranges::is_sorted(numbers));
  }
}

TEST_CASE("SDK: a producer and a consumer live through restarts of the broker", "[client]") {
  TestBroker broker;
  REQUIRE(broker.Admin()->CreateStream("orders", 2).has_value());
  constexpr int kRecords = 3'000;
  std::atomic<int> failed = 0;
  std::atomic<int> acknowledged = 0;
  ProducerOptions options;
  options.batch_bytes_max = 500;
  const auto producer = broker.OpenProducer("orders", options);
  const auto consumer = broker.OpenConsumer("orders");
  std::thread sender([&] {
    for (int i = 0; i < kRecords; ++i) {
      const Status taken = producer->Send(std::to_string(i % 7), std::to_string(i), [&](const DeliveryReport& report) {
        ++(report.status.ok() ? acknowledged : failed);
        acknowledged.notify_all();
      });
      failed += !taken.ok();
      if (i % 1'000 == 500) acknowledged.wait(0);  // the broker has been at work between restarts
    }
  });
  for (int restart = 0; restart < 3; ++restart) {
    broker.Stop();
    broker.Start();
  }
  sender.join();
  REQUIRE(producer->Flush().ok());
  CHECK(failed == 0);
  CHECK(acknowledged == kRecords);
  std::vector<int> numbers;
  for (const ConsumedRecord& record : ReadRecords(*consumer, kRecords)) numbers.push_back(std::stoi(record.value));
  std::ranges::sort(numbers);
  REQUIRE(numbers.size() == kRecords);
  for (int i = 0; i < kRecords; ++i) CHECK(numbers[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("Consumer: waits at the broker for the next record", "[client]") {
  const TestBroker broker;
  REQUIRE(broker.Admin()->CreateStream("orders", 1).has_value());
  const auto producer = broker.OpenProducer("orders");
  REQUIRE(producer->SendFuture("key", "before").get().status.ok());
  const auto consumer = broker.OpenConsumer("orders", Position::Latest());
  REQUIRE(producer->SendFuture("key", "after").get().status.ok());
  const auto records = ReadRecords(*consumer, 1);
  CHECK(records.front().value == "after");
  CHECK(records.front().offset == 1);
}

TEST_CASE("Consumer: finds records by offset and by time", "[client]") {
  const TestBroker broker;
  REQUIRE(broker.Admin()->CreateStream("orders", 1).has_value());
  const auto producer = broker.OpenProducer("orders");
  std::vector<DeliveryReport> reports;
  for (int i = 0; i < 5; ++i) {
    // Until the broker's clock has moved on, so that each record has a time of its own.
    do {
      reports.push_back(producer->SendFuture("key", std::to_string(reports.size())).get());
      REQUIRE(reports.back().status.ok());
    } while (reports.size() > 1 && reports.back().append_time_ms == reports[reports.size() - 2].append_time_ms);
  }
  const DeliveryReport& wanted = reports.back();
  CHECK(ReadRecords(*broker.OpenConsumer("orders", Position::AtOffset(wanted.offset)), 1).front().offset ==
        wanted.offset);
  CHECK(ReadRecords(*broker.OpenConsumer("orders", Position::AtTime(wanted.append_time_ms)), 1).front().offset ==
        wanted.offset);
  const auto past_the_end = broker.OpenConsumer("orders", Position::AtOffset(wanted.offset + 100))->Poll(kPatience);
  REQUIRE_FALSE(past_the_end.has_value());
  CHECK(past_the_end.error().code() == Code::kOutOfRange);
}

TEST_CASE("SDK: clients of a stream that was deleted and created anew are told so", "[client]") {
  const TestBroker broker;
  const auto admin = broker.Admin();
  REQUIRE(admin->CreateStream("orders", 1).has_value());
  const auto producer = broker.OpenProducer("orders");
  const auto consumer = broker.OpenConsumer("orders");
  REQUIRE(producer->SendFuture("key", "old").get().status.ok());
  CHECK(ReadRecords(*consumer, 1).front().value == "old");
  REQUIRE(admin->DeleteStream("orders").ok());
  REQUIRE(admin->CreateStream("orders", 1).has_value());
  const Status refused = producer->SendFuture("key", "new").get().status;
  CHECK(refused.code() == Code::kNotFound);
  CHECK(Mentions(refused, "was deleted"));
  const auto polled = consumer->Poll(kPatience);
  REQUIRE_FALSE(polled.has_value());
  CHECK(polled.error().code() == Code::kNotFound);
  CHECK(Mentions(polled.error(), "was deleted"));
}

TEST_CASE("Producer: the newer one of a name fences the older", "[client]") {
  const TestBroker broker;
  REQUIRE(broker.Admin()->CreateStream("orders", 1).has_value());
  ProducerOptions options;
  options.producer_name = "loader";
  const auto older = broker.OpenProducer("orders", options);
  REQUIRE(older->SendFuture("key", "0").get().status.ok());
  const auto newer = broker.OpenProducer("orders", options);
  REQUIRE(newer->SendFuture("key", "1").get().status.ok());
  CHECK(older->SendFuture("key", "2").get().status.code() == Code::kFenced);
  CHECK(newer->SendFuture("key", "3").get().status.ok());
}

TEST_CASE("Producer: records up to the largest pass", "[client]") {
  const TestBroker broker;
  REQUIRE(broker.Admin()->CreateStream("orders", 1).has_value());
  const auto producer = broker.OpenProducer("orders");
  const std::string largest((10u << 20) - 3, 'x');
  const Status stored = producer->SendFuture("key", largest).get().status;
  INFO(stored.ToString());
  CHECK(stored.ok());
  CHECK(producer->SendFuture("key", "").get().status.ok());
  const auto records = ReadRecords(*broker.OpenConsumer("orders"), 2);
  CHECK(records[0].value == largest);
  CHECK(records[1].value.empty());
}

}  // namespace
}  // namespace sluice
