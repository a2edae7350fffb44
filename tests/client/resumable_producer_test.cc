// Batches that are sent again: by the same producer, by another process, after the shard or the producer is gone.
#include "sluice/resumable_producer.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/client/producer_fixture.h"

namespace sluice::test {
namespace {

std::unique_ptr<ResumableProducer> OpenResumable(const FakeBroker& broker, std::uint64_t batch_bytes_max = 4u << 20) {
  ResumableProducerOptions options{.client = OptionsFor(broker).client, .batch_bytes_max = batch_bytes_max};
  auto producer = ResumableProducer::Open("orders", options);
  INFO((producer ? "" : producer.error().ToString()));
  REQUIRE(producer.has_value());
  return std::move(*producer);
}

std::vector<ResumableRecord> Records(int first, int count) {
  std::vector<ResumableRecord> records;
  for (int i = first; i < first + count; ++i) records.push_back({"key-" + std::to_string(i), std::to_string(i), 1});
  return records;
}

std::vector<PreparedBatch> Prepared(ResumableProducer& producer, const std::vector<ResumableRecord>& records) {
  auto batches = producer.Prepare(records);
  INFO((batches ? "" : batches.error().ToString()));
  REQUIRE(batches.has_value());
  return std::move(*batches);
}

bool AllOk(const std::vector<Status>& outcomes) { return std::ranges::all_of(outcomes, &Status::ok); }

TEST_CASE("ResumableProducer Send: another process sends the same batches, and they are stored once", "[client]") {
  FakeBroker broker;
  std::vector<PreparedBatch> written_down;
  {
    const auto producer = OpenResumable(broker);
    REQUIRE(AllOk(producer->Send(Prepared(*producer, Records(0, 3)))));
    written_down = Prepared(*producer, Records(3, 2));
    ScriptAppends(broker, {{0, BreakAfterStoring}});
    const auto outcomes = producer->Send(written_down);
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].retriable());
    REQUIRE(AllOk(producer->Send(written_down)));
  }
  const auto heir = OpenResumable(broker);
  REQUIRE(AllOk(heir->Send(written_down)));
  REQUIRE(AllOk(heir->Send(Prepared(*heir, Records(5, 1)))));
  CHECK(broker.Values(0) == Numbers(6));
}

TEST_CASE("ResumableProducer Send: what was written down and never sent is stored by the next process", "[client]") {
  FakeBroker broker;
  std::vector<PreparedBatch> written_down;
  {
    const auto producer = OpenResumable(broker);
    REQUIRE(AllOk(producer->Send(Prepared(*producer, Records(0, 2)))));
    written_down = Prepared(*producer, Records(2, 2));
  }
  REQUIRE(AllOk(OpenResumable(broker)->Send(written_down)));
  CHECK(broker.Values(0) == Numbers(4));
}

TEST_CASE("ResumableProducer Prepare: several batches of a shard are stored in their order", "[client]") {
  FakeBroker broker;
  const auto producer = OpenResumable(broker, 200);
  const auto batches = Prepared(*producer, Records(0, 9));
  CHECK(batches.size() > 1);
  // The second try of the first batch comes before the second batch.
  ScriptAppends(broker, {{0, BreakBefore}});
  const auto outcomes = producer->Send(batches);
  CHECK(std::ranges::all_of(outcomes, &Status::retriable));
  REQUIRE(AllOk(producer->Send(batches)));
  CHECK(broker.Values(0) == Numbers(9));
  const auto too_many = producer->Prepare(Records(0, 100));
  REQUIRE_FALSE(too_many.has_value());
  CHECK(Mentions(too_many.error(), "for shard 0; 5 can be sent again"));
  REQUIRE(AllOk(producer->Send(Prepared(*producer, Records(9, 1)))));  // the sequence has not moved
}

TEST_CASE("ResumableProducer PrepareAgain: a split shard's records go to its children", "[client]") {
  FakeBroker broker;
  const auto producer = OpenResumable(broker);
  REQUIRE(AllOk(producer->Send(Prepared(*producer, Records(0, 4)))));
  const auto batches = Prepared(*producer, Records(4, 16));
  broker.Split(0);
  const auto outcomes = producer->Send(batches);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].code() == Code::kShardClosed);
  const auto again = producer->PrepareAgain(batches);
  REQUIRE(again.has_value());
  CHECK(again->size() == 2);
  REQUIRE(AllOk(producer->Send(*again)));
  std::vector<std::string> all = broker.Values(1);
  std::ranges::copy(broker.Values(2), std::back_inserter(all));
  std::ranges::sort(all, {}, [](const std::string& text) { return std::stoi(text); });
  const auto numbers = Numbers(20);
  CHECK(all == std::vector<std::string>(numbers.begin() + 4, numbers.end()));
}

TEST_CASE("ResumableProducer PrepareAgain: a producer that was forgotten goes on under a new number", "[client]") {
  FakeBroker broker;
  const auto producer = OpenResumable(broker);
  REQUIRE(AllOk(producer->Send(Prepared(*producer, Records(0, 1)))));
  broker.ForgetProducers();
  const auto batches = Prepared(*producer, Records(1, 1));
  CHECK(producer->Send(batches).at(0).code() == Code::kFailedPrecondition);
  const auto again = producer->PrepareAgain(batches);
  REQUIRE(again.has_value());
  REQUIRE(AllOk(producer->Send(*again)));
  CHECK(broker.Values(0) == Numbers(2));
}

}  // namespace
}  // namespace sluice::test
