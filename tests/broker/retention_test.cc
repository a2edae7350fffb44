// Which policy each shard gets.
#include "broker/retention.h"

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

TEST_CASE("Retention Start: runs by itself and stops at once", "[broker]") {
  Core core;
  RetentionHolds holds;
  REQUIRE(core.catalog->Create("limited", 1, {.age_ms = 1'000, .bytes = {}}).has_value());
  Retention retention({core.store, *core.catalog, holds, core.shards, core.env->clock()}, {.interval_ms = 1});
  retention.Start();
  while (core.store.retention_calls().size() < 3) std::this_thread::yield();
  retention.Stop();
}

}  // namespace
}  // namespace sluice::broker
