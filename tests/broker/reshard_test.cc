// One switch at a time over a fake log: what waits, what is refused, who is told.
#include "broker/reshard.h"

#include "tests/broker/core_fixture.h"
#include "tests/catch.h"

namespace sluice::broker {
namespace {

using protocol::HashKey;
using storage::AckMode;

constexpr HashKey kHalf{std::uint64_t{1} << 63, 0};

/// A metadata store whose commits may be held or fail.
class GatedStore final : public storage::MetadataStore {
 public:
  explicit GatedStore(storage::MetadataStore& store) : store_(store) {}
  Result<std::optional<std::string>> Get(std::string_view key) override { return store_.Get(key); }
  Result<std::vector<KeyValue>> Scan(std::string_view prefix) override { return store_.Scan(prefix); }
  Status Commit(const storage::Transaction& transaction) override {
    if (before_commit) before_commit();
    if (!failure.ok()) return failure;
    return store_.Commit(transaction);
  }
  std::function<void()> before_commit;
  Status failure;

 private:
  storage::MetadataStore& store_;
};

struct ReshardCore {
  explicit ReshardCore(std::size_t loops) : core(loops) {}
  Core core;
  GatedStore metadata{*core.metadata};
  std::unique_ptr<StreamCatalog> catalog = std::move(*StreamCatalog::Open(metadata, core.env->clock()));
  Keyring keyring{{.catalog = *catalog, .clock = core.env->clock(), .run_blocking = {}}, nullptr, {}};
  Shards shards{core.loops, {.store = core.store, .catalog = *catalog, .keyring = keyring}};
  std::unique_ptr<AppendService> appends =
      AppendService::New(shards, core.store, core.metrics, core.env->clock(), core.append_limits);
  std::unique_ptr<ReadService> reads = ReadService::New(shards, core.metrics, {});
  Resharder resharder{shards, *catalog, core.env->clock()};

  ~ReshardCore() {
    shards.Stop();
    core.StopLoops();
  }

  std::future<Result<storage::Appended>> Append(ShardId shard, AckMode ack = AckMode::kDurable) {
    auto promise = std::make_shared<std::promise<Result<storage::Appended>>>();
    auto future = promise->get_future();
    core.loops.loop(0).Post([this, shard, ack, buffer = BufferOf(BatchOf(1)), promise]() mutable {
      appends->Append(core.loops.loop(0), {shard.stream, shard.index, ack, std::move(buffer)},
                      [promise](const Result<storage::Appended>& result) { promise->set_value(result); });
    });
    return future;
  }
  std::future<Result<ReadAnswer>> Read(ShardId shard, Offset from, std::uint32_t wait_ms) {
    auto promise = std::make_shared<std::promise<Result<ReadAnswer>>>();
    auto future = promise->get_future();
    core.loops.loop(0).Post([this, shard, from, wait_ms, promise] {
      reads->Read(core.loops.loop(0), {.stream = shard.stream, .shard = shard.index, .from = from, .wait_ms = wait_ms},
                  [promise](Result<ReadAnswer> answer) { promise->set_value(std::move(answer)); });
    });
    return future;
  }
  void WaitUntilClosing(ShardId id) {
    const std::size_t owner = core.loops.OwnerIndexOf(id);
    for (bool closing = false; !closing;) {
      core.OnLoop(owner, [&] { closing = (*shards.at(owner).Find(id))->closing; });
    }
  }
  /// Returns when every loop has run what was posted to it, and what that has posted.
  void Settle() {
    for (int round = 0; round < 3; ++round) {
      for (std::size_t i = 0; i < core.loops.size(); ++i) core.OnLoop(i, [] {});
    }
  }
};

bool Waits(const auto& future) { return future.wait_for(std::chrono::seconds(0)) == std::future_status::timeout; }

TEST_CASE("Resharder Split: what was acknowledged is in the parent, what comes later in the children", "[broker]") {
  ReshardCore world(GENERATE(1u, 2u));
  const auto stream = *world.catalog->Create("orders", 1, {});
  const ShardId parent{stream->id, ShardIndex(0)};
  REQUIRE(world.Append(parent).get().has_value());
  REQUIRE(world.Append(parent, AckMode::kNone).get().has_value());
  const auto split = world.resharder.Split("orders", ShardIndex(0), kHalf);
  REQUIRE(split.has_value());
  CHECK((*split)->FindShard(ShardIndex(0))->end == Offset(2));
  CHECK(*world.catalog->Find("orders") == *split);
  const auto refused = world.Append(parent).get();
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code() == Code::kShardClosed);
  CHECK(world.Append({stream->id, ShardIndex(1)}).get()->base_offset == Offset(0));
  CHECK(world.Append({stream->id, ShardIndex(2)}).get()->base_offset == Offset(0));

  const auto read = world.Read(parent, Offset(0), 60'000).get();
  REQUIRE(read.has_value());
  CHECK(read->run.frames.size() == 2);
  CHECK(read->closed);
  const auto at_end = world.Read(parent, Offset(2), 60'000).get();  // does not wait
  REQUIRE(at_end.has_value());
  CHECK(at_end->closed);
  CHECK(at_end->run.frames.empty());
  CHECK(!world.Read({stream->id, ShardIndex(1)}, Offset(0), 0).get()->closed);
}

TEST_CASE("Resharder Merge: closes both parents", "[broker]") {
  ReshardCore world(GENERATE(1u, 2u));
  const auto stream = *world.catalog->Create("orders", 3, {});
  const auto merged = world.resharder.Merge("orders", ShardIndex(0), ShardIndex(1));
  REQUIRE(merged.has_value());
  CHECK((*merged)->shards.ranges().size() == 2);
  for (const std::uint32_t index : {0u, 1u}) {
    const auto refused = world.Append({stream->id, ShardIndex(index)}).get();
    CHECK((!refused && refused.error().code() == Code::kShardClosed));
  }
  CHECK(world.Append({stream->id, ShardIndex(2)}).get().has_value());
  CHECK(world.Append({stream->id, ShardIndex(3)}).get().has_value());
}

TEST_CASE("Resharder: appends that come while a shard closes wait for the outcome", "[broker]") {
  ReshardCore world(GENERATE(1u, 2u));
  const bool fails = GENERATE(false, true);
  const auto stream = *world.catalog->Create("orders", 1, {});
  const ShardId parent{stream->id, ShardIndex(0)};
  REQUIRE(world.Append(parent).get().has_value());
  auto long_poll = world.Read(parent, Offset(1), 60'000);

  std::vector<std::future<Result<storage::Appended>>> waiting;
  world.metadata.before_commit = [&] {
    for (int i = 0; i < 3; ++i) waiting.push_back(world.Append(parent));
    world.Settle();
    for (const auto& append : waiting) CHECK(Waits(append));
    CHECK(world.core.store.appends_seen() == 1);
    CHECK(Waits(long_poll));
  };
  if (fails) world.metadata.failure = Status(Code::kIoError, "the disk is gone");
  const auto split = world.resharder.Split("orders", ShardIndex(0), kHalf);
  world.metadata.before_commit = nullptr;
  world.metadata.failure = Status();
  CHECK(split.has_value() == !fails);
  for (std::uint64_t i = 0; i < waiting.size(); ++i) {
    const auto result = waiting[i].get();
    REQUIRE(result.has_value() == fails);
    if (fails) CHECK(result->base_offset == Offset(1 + i));
    if (!fails) CHECK(result.error().code() == Code::kShardClosed);
  }
  const auto read = long_poll.get();
  REQUIRE(read.has_value());
  CHECK(read->closed == !fails);
  CHECK(read->run.frames.empty() == !fails);
  // Where it failed, it can be done again.
  CHECK(world.resharder.Split("orders", fails ? ShardIndex(0) : ShardIndex(1), {0, 77}).has_value());
}

TEST_CASE("Resharder: ends behind the appends that are under way", "[broker]") {
  ReshardCore world(GENERATE(1u, 2u));
  const auto stream = *world.catalog->Create("orders", 1, {});
  const ShardId parent{stream->id, ShardIndex(0)};
  world.core.store.HoldCommits();
  auto under_way = world.Append(parent);
  world.Settle();
  auto split = std::async(std::launch::async, [&] { return world.resharder.Split("orders", ShardIndex(0), kHalf); });
  world.WaitUntilClosing(parent);
  CHECK(world.resharder.Split("orders", ShardIndex(0), kHalf).error().code() == Code::kUnavailable);
  auto late = world.Append(parent);
  world.Settle();
  CHECK(Waits(under_way));
  world.core.store.ReleaseCommits();
  const auto done = split.get();
  REQUIRE(done.has_value());
  const auto first = under_way.get();
  REQUIRE(first.has_value());
  CHECK((*done)->FindShard(ShardIndex(0))->end == Offset(1));
  CHECK(late.get().error().code() == Code::kShardClosed);
}

TEST_CASE("Resharder: a stream that is deleted meanwhile lets what waits go", "[broker]") {
  ReshardCore world(GENERATE(1u, 2u));
  const auto stream = *world.catalog->Create("orders", 1, {});
  const ShardId parent{stream->id, ShardIndex(0)};
  REQUIRE(world.Append(parent).get().has_value());
  world.core.store.HoldCommits();
  auto split = std::async(std::launch::async, [&] { return world.resharder.Split("orders", ShardIndex(0), kHalf); });
  world.WaitUntilClosing(parent);
  auto parked = world.Append(parent);
  world.shards.ForgetStream(*world.catalog->Delete("orders"));
  world.core.store.ReleaseCommits();
  CHECK(split.get().error().code() == Code::kNotFound);
  CHECK(parked.get().error().code() == Code::kNotFound);
  CHECK(world.Append(parent).get().error().code() == Code::kNotFound);
}

TEST_CASE("Resharder: a closed shard takes nothing after a restart either", "[broker]") {
  ReshardCore world(1);
  const auto stream = *world.catalog->Create("orders", 1, {});
  REQUIRE(world.resharder.Split("orders", ShardIndex(0), kHalf).has_value());
  const auto catalog = std::move(*StreamCatalog::Open(*world.core.metadata, world.core.env->clock()));
  Keyring keyring({.catalog = *catalog, .clock = world.core.env->clock(), .run_blocking = {}}, nullptr, {});
  Shards shards(world.core.loops, {.store = world.core.store, .catalog = *catalog, .keyring = keyring});
  world.core.OnLoop(0, [&] {
    const auto parent = shards.at(0).Find({stream->id, ShardIndex(0)});
    REQUIRE(parent.has_value());
    CHECK((*parent)->closed);
    CHECK(!(*shards.at(0).Find({stream->id, ShardIndex(1)}))->closed);
  });
  CHECK(world.core.store.shard({stream->id, ShardIndex(0)}).sealed);
  shards.Stop();
}

TEST_CASE("Resharder Resize: in rounds, to equal ranges", "[broker]") {
  ReshardCore world(GENERATE(1u, 2u));
  REQUIRE(world.catalog->Create("orders", 2, {}).has_value());
  const auto resized = world.resharder.Resize("orders", 3);
  REQUIRE(resized.has_value());
  CHECK((*resized)->shards.ranges().size() == 3);
  CHECK((*resized)->all_shards.size() == 7);
  CHECK(world.resharder.Resize("orders", 0).error().code() == Code::kInvalidArgument);
  CHECK(world.resharder.Resize("gone", 1).error().code() == Code::kNotFound);
  CHECK(world.resharder.Split("gone", ShardIndex(0), kHalf).error().code() == Code::kNotFound);
}

TEST_CASE("Shards DropOrphans: drops forgotten shards, and refuses those that were never made", "[broker]") {
  ReshardCore world(1);
  const auto stream = *world.catalog->Create("orders", 1, {});
  REQUIRE(world.Append({stream->id, ShardIndex(0)}).get().has_value());
  REQUIRE(world.resharder.Split("orders", ShardIndex(0), kHalf).has_value());
  CHECK(*Shards::DropOrphans(world.core.store, *world.catalog) == 0);
  REQUIRE(world.catalog
              ->Change("orders",
                       [](StreamInfo& now) {
                         std::erase_if(now.all_shards, &ShardInfo::closed);
                         return Status();
                       })
              .has_value());
  CHECK(*Shards::DropOrphans(world.core.store, *world.catalog) == 1);
  CHECK(world.core.store.dropped() == std::vector{ShardId{stream->id, ShardIndex(0)}});
  world.core.store.OpenShard({stream->id, ShardIndex(3)});
  CHECK(Shards::DropOrphans(world.core.store, *world.catalog).error().code() == Code::kFailedPrecondition);
}

}  // namespace
}  // namespace sluice::broker
