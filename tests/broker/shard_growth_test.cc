// When an on-demand stream grows, and when it does not.
#include "broker/shard_growth.h"

#include "storage/env/memory_env.h"
#include "tests/broker/core_fixture.h"
#include "tests/catch.h"

namespace sluice::broker {
namespace {

/// Checks by a clock that the test moves: ten seconds between two.
struct GrowingCore {
  explicit GrowingCore(const GrowthOptions& options, bool on_demand = true)
      : growth({core.store, *core.catalog, resharder, clock}, options) {
    REQUIRE(core.catalog->Create("orders", 2, {}, false, {.tags = {}, .on_demand = on_demand}).has_value());
  }
  std::size_t CheckAfter(std::uint32_t shard, int records, std::size_t bytes = 5) {
    const ShardId id{(*core.catalog->Find("orders"))->id, ShardIndex(shard)};
    if (records > 0) REQUIRE(core.Append(0, id, BatchOf(records, std::string(bytes, 'x'))).get().has_value());
    clock.AdvanceMs(10'000);
    return growth.RunOnce();
  }
  std::size_t shards() const { return (*core.catalog->Find("orders"))->shards.ranges().size(); }

  Core core;
  storage::ManualClock clock;
  Resharder resharder{core.shards, *core.catalog, clock};
  ShardGrowth growth;
};

constexpr GrowthOptions kTenPerSecond{
    .interval_ms = 1, .shard_bytes_per_second = 10'000, .shard_records_per_second = 10, .shards_max = 4};

TEST_CASE("MiddleOf: the upper half's first key", "[broker]") {
  using protocol::HashKey;
  CHECK(MiddleOf({ShardIndex(0), protocol::kMinHashKey, protocol::kMaxHashKey}) == HashKey{std::uint64_t{1} << 63, 0});
  CHECK(MiddleOf({ShardIndex(0), {0, 6}, {0, 7}}) == HashKey{0, 7});
  CHECK(MiddleOf({ShardIndex(0), {0, 7}, {0, 7}}) == protocol::kMinHashKey);
  CHECK(MiddleOf({ShardIndex(0), {0, ~std::uint64_t{0}}, {1, 0}}) == HashKey{1, 0});
}

TEST_CASE("ShardGrowth: splits a shard that stays above its threshold, in the middle", "[broker]") {
  GrowingCore world(kTenPerSecond);
  const auto [records, bytes] = GENERATE(table<int, std::size_t>({{101, 5}, {10, 11'000}}));
  CHECK(world.CheckAfter(0, records, bytes) == 0);  // nothing to compare with
  CHECK(world.CheckAfter(0, records, bytes) == 0);
  CHECK(world.CheckAfter(0, records, bytes) == 0);
  CHECK(world.CheckAfter(0, records, bytes) == 1);
  CHECK(world.shards() == 3);
  const StreamPtr stream = *world.core.catalog->Find("orders");
  CHECK(stream->FindShard(ShardIndex(0))->closed());
  CHECK(stream->FindShard(ShardIndex(3))->first == protocol::HashKey{std::uint64_t{1} << 62, 0});
  CHECK(world.CheckAfter(1, 0) == 0);
}

TEST_CASE("ShardGrowth: a burst, a slow shard and a provisioned stream do not grow", "[broker]") {
  GrowingCore world(kTenPerSecond, GENERATE(true, false));
  const bool on_demand = (*world.core.catalog->Find("orders"))->kinesis.on_demand;
  for (int i = 0; i < 4; ++i) {
    CHECK(world.CheckAfter(0, on_demand ? 99 : 1'000) == 0);
    CHECK(world.CheckAfter(0, 1'000) == 0);
    CHECK(world.CheckAfter(0, 0) == 0);
  }
  CHECK(world.shards() == 2);
}

TEST_CASE("ShardGrowth: no more shards than the setting says", "[broker]") {
  GrowthOptions options = kTenPerSecond;
  options.shards_max = 2;
  GrowingCore world(options);
  for (int i = 0; i < 6; ++i) CHECK(world.CheckAfter(0, 200) == 0);
  CHECK(world.shards() == 2);
}

}  // namespace
}  // namespace sluice::broker
