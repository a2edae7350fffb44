// Which policy each shard gets.
#include "broker/retention.h"

#include <map>

#include "broker/reshard_plan.h"
#include "tests/broker/core_fixture.h"
#include "tests/catch.h"

namespace sluice::broker {
namespace {

TEST_CASE("Retention RunOnce: splits the bytes and respects the holds", "[broker]") {
  Core core;
  RetentionHolds holds;
  const auto limited = *core.catalog->Create("limited", 4, {.age_ms = 1'000, .bytes = 400});
  REQUIRE(core.catalog->Create("endless", 2, {}).has_value());
  holds.Set(core.ShardOf(limited, 1), "to-lake", Offset(50));
  holds.Set(core.ShardOf(limited, 1), "to-other", Offset(40));
  holds.Set(core.ShardOf(limited, 2), "to-lake", Offset(7));
  holds.Set(core.ShardOf(limited, 2), "to-other", kMaxOffset);
  holds.Set(core.ShardOf(limited, 3), "to-lake", Offset(9));
  Retention retention({core.store, *core.catalog, holds, core.shards, core.env->clock()}, {});
  CHECK(retention.RunOnce() == 4);
  const auto calls = core.store.retention_calls();
  REQUIRE(calls.size() == 4);
  for (const auto& [id, policy] : calls) {
    CHECK(id.stream == limited->id);
    CHECK(policy.age_ms_max == 1'000);
    CHECK(policy.bytes_max == 100u);
    // What a holder has not spoken of is new to it, and held from its start.
    const Offset held = id.index == ShardIndex(1) ? Offset(40) : id.index == ShardIndex(2) ? Offset(7) : Offset(0);
    CHECK(policy.keep_from == held);
  }
  holds.RemoveAll("to-other");
  CHECK(holds.KeepFrom(core.ShardOf(limited, 1)) == Offset(50));
  CHECK(holds.KeepFrom(core.ShardOf(limited, 3)) == Offset(9));
  holds.RemoveAll("to-lake");
  CHECK(holds.KeepFrom(core.ShardOf(limited, 0)) == kMaxOffset);
}

// A stream of one shard that was split `ago_ms` ago, and its lower child a second later.
StreamPtr SplitTwice(Core& core, RetentionSettings retention, std::int64_t ago_ms) {
  REQUIRE(core.catalog->Create("orders", 1, retention).has_value());
  const std::int64_t at_ms = core.env->clock().WallMs() - ago_ms;
  const auto change = [&](StreamInfo& stream) {
    stream.all_shards.front().created_ms = at_ms - 5'000;
    const std::vector<ShardChange> first{{{ShardIndex(0)}, {protocol::kMinHashKey, {1, 0}}}};
    if (Status status = ApplyChanges(stream, first, {{ShardIndex(0), Offset(0)}}, at_ms); !status.ok()) return status;
    const std::vector<ShardChange> second{{{ShardIndex(1)}, {protocol::kMinHashKey, {0, 9}}}};
    return ApplyChanges(stream, second, {{ShardIndex(1), Offset(0)}}, at_ms + 1'000);
  };
  const auto changed = core.catalog->Change("orders", change);
  REQUIRE(changed.has_value());
  return *changed;
}

std::vector<std::uint32_t> ShardsOf(const Core& core) {
  std::vector<std::uint32_t> shards;
  for (const ShardInfo& shard : (*core.catalog->Find("orders"))->all_shards) shards.push_back(shard.shard.value);
  return shards;
}

TEST_CASE("Retention RunOnce: forgets closed shards that are empty for long enough", "[broker]") {
  Core core;
  static constexpr std::int64_t kHour = 3'600'000;
  const auto [retention, ago_ms, forgotten] =
      GENERATE(table<RetentionSettings, std::int64_t, bool>({{{.age_ms = 2 * kHour, .bytes = {}}, 3 * kHour, true},
                                                             {{.age_ms = 2 * kHour, .bytes = {}}, kHour, false},
                                                             {{}, 25 * kHour, true},
                                                             {{}, 23 * kHour, false},
                                                             {{.age_ms = {}, .bytes = 1'000}, 25 * kHour, true}}));
  const auto stream = SplitTwice(core, retention, ago_ms);
  Retention task({core.store, *core.catalog, core.holds, core.shards, core.env->clock()}, {});
  task.RunOnce();
  CHECK(ShardsOf(core) ==
        (forgotten ? std::vector<std::uint32_t>{2, 3, 4} : std::vector<std::uint32_t>{0, 1, 2, 3, 4}));
  core.OnLoop(0, [] {});
  core.loops.DrainBlocking();
  CHECK(core.store.dropped().size() == (forgotten ? 2 : 0));
  CHECK((*core.catalog->Find("orders"))->next_shard == ShardIndex(5));
}

TEST_CASE("Retention RunOnce: keeps a closed shard that has records, is held, or whose parent is there", "[broker]") {
  Core core;
  const auto stream = SplitTwice(core, {}, 48 * 3'600'000ll);
  Retention task({core.store, *core.catalog, core.holds, core.shards, core.env->clock()}, {});
  core.store.shard(core.ShardOf(stream, 0))
      .Publish(protocol::Frame::Seal(BufferOf(BatchOf(3)), {.shard = core.ShardOf(stream, 0),
                                                            .base_offset = Offset(4),
                                                            .record_count = 3,
                                                            .append_time_ms = 1,
                                                            .durable_upto = Offset(0)}));
  task.RunOnce();
  CHECK(ShardsOf(core) == std::vector<std::uint32_t>{0, 1, 2, 3, 4});  // 1 is empty, but 0 leads to it
  core.store.shard(core.ShardOf(stream, 0)).RemoveBelow(Offset(7));
  task.RunOnce();
  CHECK(ShardsOf(core) == std::vector<std::uint32_t>{2, 3, 4});
}

TEST_CASE("Retention RunOnce: closed shards get what the open ones leave of the bytes, the newest first", "[broker]") {
  Core core;
  const auto stream = SplitTwice(core, {.age_ms = {}, .bytes = 3'000}, 0);
  std::map<std::uint32_t, std::uint64_t> bytes;
  for (const std::uint32_t shard : {0u, 1u, 2u, 3u, 4u}) {
    const ShardId id = core.ShardOf(stream, shard);
    core.store.shard(id).Publish(protocol::Frame::Seal(
        BufferOf(BatchOf(1, std::string(400, 'x'))),
        {.shard = id, .base_offset = Offset(0), .record_count = 1, .append_time_ms = 1, .durable_upto = Offset(0)}));
    bytes[shard] = core.store.shard(id).retained_bytes();
  }
  Retention task({core.store, *core.catalog, core.holds, core.shards, core.env->clock()}, {});
  task.RunOnce();
  std::map<std::uint32_t, storage::RetentionPolicy> policies;
  for (const auto& [id, policy] : core.store.retention_calls()) policies[id.index.value] = policy;
  for (const std::uint32_t open : {2u, 3u, 4u}) {
    CHECK(policies[open].bytes_max == 1'000u);
    CHECK(policies[open].keep_newest);
  }
  CHECK(policies[1].bytes_max == 3'000 - 3 * bytes[2]);
  CHECK(policies[0].bytes_max == 3'000 - 4 * bytes[2]);
  CHECK(!policies[0].keep_newest);
}

TEST_CASE("Retention Start: runs by itself and stops at once", "[broker]") {
  Core core;
  RetentionHolds holds;
  REQUIRE(core.catalog->Create("limited", 1, {.age_ms = 1'000, .bytes = {}}).has_value());
  Retention retention({core.store, *core.catalog, holds, core.shards, core.env->clock()}, {.interval_ms = 1});
  retention.Start();
  while (core.store.retention_calls().size() < 3) std::this_thread::yield();
  retention.Stop();
}

TEST_CASE("Retention Start: does not wait for its interval where much is appended", "[broker]") {
  Core core;
  REQUIRE(core.catalog->Create("limited", 1, {.age_ms = {}, .bytes = 1'000}).has_value());
  Retention retention({core.store, *core.catalog, core.holds, core.shards, core.env->clock()},
                      {.interval_ms = 24 * 3'600'000, .appended_bytes = 1'000});
  retention.Start();
  for (std::uint64_t bytes = 0; core.store.retention_calls().size() < 2; bytes += 1'000) {
    core.store.SetCommitBytes(bytes);
    std::this_thread::yield();
  }
  retention.Stop();
}

}  // namespace
}  // namespace sluice::broker
