// GroupService over the broker's core and a metadata store that survives: starts, restarts, splits, deleted streams,
// and a store that fails.
#include "broker/groups/group_service.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "broker/groups/group_metrics.h"
#include "tests/broker/core_fixture.h"
#include "tests/broker/reshard_world.h"
#include "tests/catch.h"

namespace sluice::broker::groups {
namespace {

class ManualClock final : public storage::Clock {
 public:
  std::int64_t WallMs() override { return 1'700'000'000'000 + now_ms; }
  std::int64_t MonotonicNs() override { return now_ms * 1'000'000; }
  std::int64_t now_ms = 0;
};

struct Fixture {
  Fixture() {
    stream = *core.catalog->Create("orders", 2, {});
    Open();
  }
  void Open() {
    service.reset();
    auto opened = GroupService::Open({.metadata = metadata,
                                      .catalog = *core.catalog,
                                      .store = core.store,
                                      .clock = clock,
                                      .random = core.env->random()});
    INFO((opened ? "" : opened.error().ToString()));
    REQUIRE(opened.has_value());
    service = std::move(*opened);
  }
  Result<Assignment> Join(std::uint64_t member, std::optional<GroupStart> start = GroupStart{}) {
    return service->Join({.stream = "orders",
                          .group = "billing",
                          .member = MemberId(member),
                          .info = {.name = "m", .session_timeout_ms = 1'000, .release_timeout_ms = 2'000},
                          .start = start});
  }
  MemberRef Ref(std::uint64_t member) const { return {stream->id, "billing", MemberId(member)}; }
  void Append(std::uint32_t shard, int records) {
    REQUIRE(core.Append(0, {stream->id, ShardIndex(shard)}, BatchOf(records)).get().has_value());
  }
  void Pass(std::int64_t ms) {
    clock.now_ms += ms;
    service->RunOnce();
  }

  Core core;
  SurvivingMetadata metadata;
  ManualClock clock;
  StreamPtr stream;
  std::unique_ptr<GroupService> service;
};

Checkpoint At(const Lease& lease, std::uint64_t next) {
  return {.shard = lease.shard, .epoch = lease.epoch, .next = Offset(next), .missed = 0, .release = false};
}

TEST_CASE("GroupService Join: where a group begins is fixed when it is made", "[broker]") {
  Fixture fixture;
  fixture.Append(0, 5);
  const GroupStart start{GENERATE(GroupStart::Kind::kOldest, GroupStart::Kind::kLatest), 0};
  const std::uint64_t next = start.kind == GroupStart::Kind::kOldest ? 0 : 5;
  CHECK(fixture.Join(1, std::nullopt).error().code() == Code::kNotFound);
  auto joined = fixture.Join(1, start);
  REQUIRE(joined.has_value());
  REQUIRE(joined->leases->size() == 2);
  CHECK(joined->leases->at(0).next == Offset(next));
  fixture.Append(0, 5);
  REQUIRE(fixture.service->Leave(fixture.Ref(1)).ok());
  fixture.Open();
  joined = fixture.Join(2, GroupStart{GroupStart::Kind::kLatest, 0});
  CHECK(joined->leases->at(0).next == Offset(next));
  CHECK(fixture.service->Describe("orders", "billing")->info.start == start);
}

TEST_CASE("GroupService: a restart keeps members, leases and checkpoints", "[broker]") {
  Fixture fixture;
  fixture.Append(0, 5);
  const auto joined = fixture.Join(1);
  REQUIRE(joined.has_value());
  const Lease lease = joined->leases->front();
  REQUIRE(fixture.service->Commit(fixture.Ref(1), {At(lease, 4)})->empty());
  fixture.Open();
  // It has its whole session again, and its epoch still counts.
  fixture.Pass(900);
  const auto beat = fixture.service->Heartbeat(fixture.Ref(1), joined->version);
  REQUIRE(beat.has_value());
  REQUIRE(beat->leases.has_value());
  REQUIRE(beat->leases->size() == 2);
  CHECK(beat->leases->front().epoch == lease.epoch);
  CHECK(beat->leases->front().next == Offset(4));
  REQUIRE(fixture.service->Commit(fixture.Ref(1), {At(lease, 5)})->empty());
  // And loses them when it is not heard; the next epoch is above.
  fixture.Open();
  fixture.Pass(500);
  fixture.Pass(501);
  CHECK(fixture.service->Heartbeat(fixture.Ref(1), 0).error().code() == Code::kFenced);
  CHECK(fixture.Join(2)->leases->front().epoch == lease.epoch + 1);
  CHECK(fixture.service->Commit(fixture.Ref(1), {At(lease, 5)})->size() == 1);
}

TEST_CASE("GroupService: children of a split come when their parent is finished", "[broker]") {
  Fixture fixture;
  fixture.Append(0, 5);
  const auto joined = fixture.Join(1);
  const Lease parent = joined->leases->front();
  REQUIRE(fixture.core.resharder.Split("orders", ShardIndex(0), {.high = 1, .low = 0}).has_value());
  fixture.Append(2, 3);
  auto beat = fixture.service->Heartbeat(fixture.Ref(1), 0);
  REQUIRE(beat->leases->size() == 2);
  const auto waits = fixture.service->Describe("orders", "billing");
  CHECK(waits->shards.at(2).waits_for_parents);
  CHECK(waits->shards.at(2).lag_records == 3);
  REQUIRE(fixture.service->Commit(fixture.Ref(1), {At(parent, 5)})->empty());
  beat = fixture.service->Heartbeat(fixture.Ref(1), 0);
  REQUIRE(beat->leases->size() == 3);
  CHECK(beat->leases->back().next == Offset(0));
  CHECK(fixture.service->Describe("orders", "billing")->shards.at(0).finished);
}

TEST_CASE("GroupService: a deleted stream takes its groups with it", "[broker]") {
  Fixture fixture;
  const bool restarts = GENERATE(true, false);
  REQUIRE(fixture.Join(1).has_value());
  REQUIRE(fixture.core.catalog->Delete("orders").has_value());
  CHECK(fixture.service->Heartbeat(fixture.Ref(1), 0).error().code() == Code::kNotFound);
  if (restarts) {
    fixture.Open();
  } else {
    fixture.Pass(100);
  }
  CHECK(fixture.metadata.Scan("group")->empty());
  fixture.stream = *fixture.core.catalog->Create("orders", 2, {});
  CHECK(fixture.service->List("orders")->empty());
  CHECK(fixture.Join(1)->leases->front().epoch == 1);
}

TEST_CASE("GroupService: what cannot be stored is not answered, and is not there afterwards", "[broker]") {
  Fixture fixture;
  fixture.Append(0, 5);
  const auto joined = fixture.Join(1);
  const Lease lease = joined->leases->front();
  fixture.metadata.off = true;
  CHECK(fixture.service->Commit(fixture.Ref(1), {At(lease, 3)}).error().code() == Code::kIoError);
  CHECK_FALSE(fixture.Join(2).has_value());
  fixture.metadata.off = false;
  const auto now = fixture.service->Describe("orders", "billing");
  REQUIRE(now.has_value());
  CHECK(now->members.size() == 1);
  CHECK(now->shards.front().progress.next == Offset(0));
  REQUIRE(fixture.service->Commit(fixture.Ref(1), {At(lease, 3)})->empty());
  // Stored, but the answer is lost: sent again, it is no harm.
  fixture.metadata.lose_answers = true;
  CHECK_FALSE(fixture.service->Commit(fixture.Ref(1), {At(lease, 5)}).has_value());
  fixture.metadata.lose_answers = false;
  REQUIRE(fixture.service->Commit(fixture.Ref(1), {At(lease, 5)})->empty());
  CHECK(fixture.service->Describe("orders", "billing")->shards.front().progress.next == Offset(5));
}

TEST_CASE("GroupService: a broker that stood still does not remove members for it", "[broker]") {
  Fixture fixture;
  REQUIRE(fixture.Join(1).has_value());
  fixture.Pass(100);
  fixture.Pass(60'000);
  CHECK(fixture.service->Heartbeat(fixture.Ref(1), 0).has_value());
  fixture.Pass(600);
  fixture.Pass(600);
  CHECK(fixture.service->Heartbeat(fixture.Ref(1), 0).error().code() == Code::kFenced);
}

TEST_CASE("GroupService Join: bounds of groups and members", "[broker]") {
  Fixture fixture;
  const auto join = [&](const std::string& group, std::uint64_t member) {
    return fixture.service->Join({.stream = "orders",
                                  .group = group,
                                  .member = MemberId(member),
                                  .info = {.name = "m", .session_timeout_ms = 1'000, .release_timeout_ms = 0},
                                  .start = GroupStart{}});
  };
  for (std::size_t i = 0; i < GroupService::kMembersMax; ++i) REQUIRE(join("g", i + 1).has_value());
  CHECK(join("g", 0xffff).error().code() == Code::kResourceExhausted);
  CHECK(join("g", 1).has_value());
  for (std::size_t i = 1; i < GroupService::kGroupsMax; ++i) REQUIRE(join("g" + std::to_string(i), 1).has_value());
  CHECK(join("one-more", 1).error().code() == Code::kResourceExhausted);
}

TEST_CASE("GroupService: members, people and its own thread at the same time", "[broker]") {
  Fixture fixture;
  fixture.Append(0, 100);
  fixture.Append(1, 100);
  fixture.service->Start();
  std::atomic<std::uint64_t> taken{0};
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t id = 1; id <= 3; ++id) {
      threads.emplace_back([&fixture, &taken, id] {
        for (std::uint64_t round = 0; round < 100; ++round) {
          if (!fixture.Join(id)) continue;  // it was deleted at this moment
          const auto beat = fixture.service->Heartbeat(fixture.Ref(id), 0);
          if (!beat) continue;
          std::vector<Checkpoint> checkpoints;
          for (const Lease& lease : *beat->leases) {
            checkpoints.push_back(At(lease, std::min<std::uint64_t>(100, lease.next.value + 1)));
            checkpoints.back().release = lease.asked_back;
          }
          const auto fenced = fixture.service->Commit(fixture.Ref(id), checkpoints);
          if (fenced) taken += checkpoints.size() - fenced->size();
          if (round % 10 == id) (void)fixture.service->Leave(fixture.Ref(id));
        }
        (void)fixture.service->Leave(fixture.Ref(id));
      });
    }
    threads.emplace_back([&fixture] {
      for (int round = 0; round < 100; ++round) {
        (void)fixture.service->Describe("orders", "billing");
        (void)fixture.service->List("");
        (void)fixture.service->Reset({.stream = "orders", .group = "billing", .shard = {}, .start = {}, .offset = {}});
        if (round % 20 == 0) (void)fixture.service->Delete("orders", "billing");
      }
    });
  }
  fixture.service->Stop();
  CHECK(taken > 0);
  REQUIRE(fixture.Join(9).has_value());
  const auto group = fixture.service->Describe("orders", "billing");
  REQUIRE(group.has_value());
  CHECK(group->members.size() == 1);
  for (const ShardDescription& shard : group->shards) {
    CHECK(shard.progress.holder == MemberId(9));
    CHECK(shard.progress.next <= Offset(100));
  }
}

TEST_CASE("GroupService: metrics of a group", "[broker]") {
  Fixture fixture;
  fixture.Append(0, 5);
  const auto joined = fixture.Join(1);
  REQUIRE(fixture.service->Commit(fixture.Ref(1), {At(joined->leases->front(), 2)})->empty());
  fixture.core.metrics.AddSource([&](MetricSink& sink) { CollectGroupMetrics(*fixture.service, fixture.clock, sink); });
  const std::string text = fixture.core.metrics.Render();
  const auto shows = [&](std::string_view line) { return text.find(line) != std::string::npos; };
  INFO(text);
  CHECK(shows(R"(sluice_group_lag_records{stream="orders",group="billing",shard="0"} 3)"));
  CHECK(shows(R"(sluice_group_members{stream="orders",group="billing"} 1)"));
  CHECK(shows(R"(sluice_group_checkpoints_total{stream="orders",group="billing"} 1)"));
  CHECK(shows(R"(sluice_group_rebalances_total{stream="orders",group="billing"} 1)"));
}

}  // namespace
}  // namespace sluice::broker::groups
