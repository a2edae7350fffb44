// Dead letters of deliveries that ask others, who may answer otherwise the next time: a Lambda, an endpoint. What they
// said first is kept, so each failed record is in the dead-letter stream once.
#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include "broker/delivery/dead_letter_output.h"
#include "tests/delivery/endpoint_fixture.h"
#include "tests/delivery/lambda_fixture.h"
#include "tests/delivery/proof.h"

namespace sluice::delivery {
namespace {

using AppendFault = FakeStreams::Fault;
constexpr const char* kDead = "orders-dead";

/// Offsets of the records that failed, sorted, as the dead-letter stream has them.
std::vector<std::uint64_t> DeadOffsets(const World& world) {
  std::vector<std::uint64_t> offsets;
  for (const FakeRecord& record : world.streams.Records(kDead))
    offsets.push_back(ParseErrorRecordLine(record.value)->offset.value);
  std::ranges::sort(offsets);
  return offsets;
}

/// Delivers while append and commit fail in turn, with a restart behind each failure.
void RunThroughFaults(const DeliveryConfig& config, const std::function<void(World&)>& check) {
  const bool appends_fail = GENERATE(true, false);
  const auto fault = GENERATE(AppendFault::kBefore, AppendFault::kAfter);
  for (int nth = 1;; ++nth) {
    World world(config, 1);
    world.streams.Create(kDead);
    world.streams.record_bytes_max = 8u << 10;
    for (int i = 0; i < 60; ++i)
      world.log.Append(0, fmt::format("record {} {}", i, std::string(1000, 'x')), world.env.clock().WallMs());
    REQUIRE(world.Start().ok());
    if (appends_fail) {
      world.streams.FailAppend(nth, fault);
    } else {
      const bool after = fault == AppendFault::kAfter;
      world.metadata.FailCommit(nth, after ? FaultyMetadata::Fault::kAfter : FaultyMetadata::Fault::kBefore);
    }
    const auto failed = [&] { return world.streams.failures + world.metadata.failures() > 0; };
    for (int i = 0; i < 400 && !world.delivered() && !failed(); ++i)
      world.env.manual_clock().AdvanceMs(world.stream->Step());
    const bool over = !failed();
    if (!over) {
      world.env.Crash();
      REQUIRE(world.Start().ok());
      REQUIRE(world.Run());
    }
    INFO("fault " << nth);
    check(world);
    CHECK(world.dead_letter_holds.empty());
    CHECK(world.stream->status().checkpoint.totals.dead_letters == DeadOffsets(world).size());
    CHECK(Proof(world).Verify().ok());
    if (over) {
      CHECK(nth > 3);
      break;
    }
    REQUIRE(nth < 50);
  }
}

}  // namespace

TEST_CASE("DeadLetterOutput Finish: a Lambda that never refuses the same records twice", "[delivery]") {
  std::atomic<int> calls = 0;
  FakeEndpoint endpoint([&calls](const FakeEndpoint::Request& request) {
    const int call = calls++;
    std::vector<std::string> items;
    for (const std::string& id : ReadLambdaRequest(request.body).ids) {
      const bool fails = (items.size() + static_cast<std::size_t>(call)) % 2 == 0;
      items.push_back(LambdaItem(id, "fine", fails ? "ProcessingFailed" : "Ok"));
    }
    return FakeEndpoint::Answer{.body = LambdaAnswerOf(items)};
  });
  DeliveryConfig config = RawConfig();
  config.dead_letter_stream = kDead;
  config.processors = {LambdaOf(endpoint.Url("/"))};
  RunThroughFaults(config, [](World& world) {
    const std::vector<std::uint64_t> offsets = DeadOffsets(world);
    REQUIRE(offsets.size() == 30);
    for (std::size_t i = 1; i < offsets.size(); ++i) CHECK(offsets[i] == offsets[i - 1] + 2);
    CHECK(world.stream->status().checkpoint.totals.rows == 30);
  });
}

TEST_CASE("DeadLetterOutput Finish: what an endpoint has refused for good", "[delivery]") {
  std::atomic<int> requests = 0;
  FakeEndpoint endpoint([&requests](const FakeEndpoint::Request& request) {
    // Every second one, so that another try would be another answer.
    return EndpointAnswer(ReadEndpointRequest(request.body).id, requests++ % 2 == 0 ? 413 : 200);
  });
  DeliveryConfig config = EndpointDeliveryConfig(endpoint.Url("/in"), 0);
  config.dead_letter_stream = kDead;
  RunThroughFaults(config, [&](World& world) {
    const DeliveryTotals totals = world.stream->status().checkpoint.totals;
    std::vector<std::uint64_t> offsets = DeadOffsets(world);
    CHECK(std::ranges::adjacent_find(offsets) == offsets.end());
    CHECK(offsets.size() + totals.sent == 60);
    for (const FakeRecord& record : world.streams.Records(kDead))
      CHECK(record.headers.at("sluice-error-type") == "http-endpoint-failed");
    requests = 0;  // the next world begins with a refusal
  });
}

}  // namespace sluice::delivery
