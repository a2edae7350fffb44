// Which shards end and which follow, for splits, merges and new counts.
#include "broker/reshard_plan.h"

#include <algorithm>

#include "protocol/uint128.h"
#include "tests/catch.h"

namespace sluice::broker {
namespace {

using protocol::HashKey;
using protocol::ShardMap;

StreamInfo StreamOf(std::uint32_t shards, std::int64_t created_ms = 5'000) {
  StreamInfo stream;
  stream.id = StreamId(1);
  stream.name = "orders";
  stream.created_ms = created_ms;
  stream.shards = ShardMap::Uniform(shards);
  stream.all_shards = NewShards(stream.shards, created_ms);
  stream.next_shard = ShardIndex(shards);
  return stream;
}

ShardEnds EndsOf(const std::vector<ShardChange>& changes, std::uint64_t end) {
  ShardEnds ends;
  for (const ShardChange& change : changes) {
    for (const ShardIndex parent : change.parents) ends[parent] = Offset(end);
  }
  return ends;
}

/// One round after another; returns how many.
int Resize(StreamInfo& stream, std::uint32_t count) {
  for (int rounds = 0;; ++rounds) {
    const auto round = PlanResize(stream, count);
    if (round.empty()) return rounds;
    REQUIRE(ApplyChanges(stream, round, EndsOf(round, 7), 10'000).ok());
  }
}

std::vector<std::uint64_t> Numbers(const StreamInfo& stream) {
  std::vector<std::uint64_t> numbers;
  for (const auto& range : stream.shards.ranges()) numbers.push_back(range.shard.value);
  return numbers;
}

TEST_CASE("PlanSplit: only an open shard, at one of its keys", "[broker]") {
  StreamInfo stream = StreamOf(2);
  const HashKey half{std::uint64_t{1} << 63, 0};
  const HashKey quarter{std::uint64_t{1} << 62, 0};
  CHECK(PlanSplit(stream, ShardIndex(2), quarter).error().code() == Code::kNotFound);
  CHECK(PlanSplit(stream, ShardIndex(0), half).error().code() == Code::kInvalidArgument);
  CHECK(PlanSplit(stream, ShardIndex(0), protocol::kMinHashKey).error().code() == Code::kInvalidArgument);
  CHECK(PlanSplit(stream, ShardIndex(1), half).error().code() == Code::kInvalidArgument);
  CHECK(PlanSplit(stream, ShardIndex(1), protocol::kMaxHashKey).has_value());
  CHECK(PlanSplit(stream, ShardIndex(0), {0, 1}).has_value());
  const auto change = PlanSplit(stream, ShardIndex(0), quarter);
  REQUIRE(change.has_value());
  REQUIRE(ApplyChanges(stream, {*change}, {{ShardIndex(0), Offset(3)}}, 9'500).ok());
  CHECK(PlanSplit(stream, ShardIndex(0), quarter).error().code() == Code::kFailedPrecondition);

  const ShardInfo& parent = *stream.FindShard(ShardIndex(0));
  const ShardInfo& lower = *stream.FindShard(ShardIndex(2));
  const ShardInfo& upper = *stream.FindShard(ShardIndex(3));
  CHECK(parent.end == Offset(3));
  CHECK(parent.closed_ms == 9'500);
  CHECK(lower.created_ms == 9'500);
  CHECK(lower.first == parent.first);
  CHECK(lower.last == HashKey{(std::uint64_t{1} << 62) - 1, ~std::uint64_t{0}});
  CHECK(upper.first == quarter);
  CHECK(upper.last == parent.last);
  CHECK(lower.parent == ShardIndex(0));
  CHECK(!lower.adjacent_parent.has_value());
  CHECK(Numbers(stream) == std::vector<std::uint64_t>{2, 3, 1});
  // It is closed already: the same again is refused, and changes nothing.
  CHECK(ApplyChanges(stream, {*change}, {{ShardIndex(0), Offset(3)}}, 9'600).code() == Code::kFailedPrecondition);
}

TEST_CASE("PlanMerge: two open shards that touch, in either order", "[broker]") {
  StreamInfo stream = StreamOf(3);
  CHECK(PlanMerge(stream, ShardIndex(0), ShardIndex(2)).error().code() == Code::kInvalidArgument);
  CHECK(PlanMerge(stream, ShardIndex(1), ShardIndex(1)).error().code() == Code::kInvalidArgument);
  CHECK(PlanMerge(stream, ShardIndex(0), ShardIndex(3)).error().code() == Code::kNotFound);
  const auto change = PlanMerge(stream, ShardIndex(2), ShardIndex(1));
  REQUIRE(change.has_value());
  CHECK(change == PlanMerge(stream, ShardIndex(1), ShardIndex(2)));
  REQUIRE(ApplyChanges(stream, {*change}, EndsOf({*change}, 0), 9'000).ok());
  const ShardInfo& child = *stream.FindShard(ShardIndex(3));
  CHECK(child.parent == ShardIndex(1));
  CHECK(child.adjacent_parent == ShardIndex(2));
  CHECK(child.first == ShardMap::Uniform(3).ranges()[1].first);
  CHECK(child.last == protocol::kMaxHashKey);
  CHECK(PlanMerge(stream, ShardIndex(0), ShardIndex(2)).error().code() == Code::kFailedPrecondition);
}

TEST_CASE("ApplyChanges: a child is created in a later second than its parents, whatever the clock says", "[broker]") {
  StreamInfo stream = StreamOf(2, 5'700);
  const std::int64_t now_ms = GENERATE(0, 5'700, 5'999, 6'000, 7'123);
  std::vector<ShardChange> round = PlanResize(stream, 4);
  REQUIRE(ApplyChanges(stream, round, EndsOf(round, 1), now_ms).ok());
  CHECK(stream.FindShard(ShardIndex(2))->created_ms == std::max<std::int64_t>(6'000, now_ms));
  round = PlanResize(stream, 1);
  REQUIRE(ApplyChanges(stream, round, EndsOf(round, 1), now_ms).ok());
  const ShardInfo& child = stream.all_shards.back();
  CHECK(child.created_ms == std::max<std::int64_t>(7'000, now_ms == 7'123 ? 8'000 : 0));
  CHECK(stream.FindShard(*child.adjacent_parent)->closed_ms == child.created_ms);
}

TEST_CASE("PlanResize: as Kinesis goes from two shards to three", "[broker]") {
  StreamInfo stream = StreamOf(2);
  CHECK(Resize(stream, 3) == 2);
  CHECK(Numbers(stream) == std::vector<std::uint64_t>{2, 6, 5});
  CHECK(stream.FindShard(ShardIndex(6))->parent == ShardIndex(3));
  CHECK(stream.FindShard(ShardIndex(6))->adjacent_parent == ShardIndex(4));
}

TEST_CASE("PlanResize: reaches equal ranges from any, with children of one or two parents", "[broker]") {
  StreamInfo stream = StreamOf(GENERATE(1u, 2u, 3u, 7u));
  for (const std::uint32_t count : {5u, 1u, 9u, 4u, 4u, 64u, 3u}) {
    CHECK(Resize(stream, count) <= 14);
    std::vector<protocol::ShardRange> uniform = ShardMap::Uniform(count).ranges();
    const auto& ranges = stream.shards.ranges();
    REQUIRE(ranges.size() == count);
    for (std::size_t i = 0; i < count; ++i) {
      CHECK(ranges[i].first == uniform[i].first);
      CHECK(ranges[i].last == uniform[i].last);
    }
  }
  for (const ShardInfo& shard : stream.all_shards) {
    if (shard.parent) CHECK(shard.created_ms / 1'000 > stream.FindShard(*shard.parent)->created_ms / 1'000);
    const auto children = std::ranges::count_if(stream.all_shards, [&](const ShardInfo& other) {
      return other.parent == shard.shard || other.adjacent_parent == shard.shard;
    });
    CHECK(children == (!shard.closed() ? 0 : children == 1 ? 1 : 2));
  }
  CHECK(Resize(stream, 3) == 0);
}

TEST_CASE("ApplyChanges: no more open shards than a stream may have", "[broker]") {
  StreamInfo stream = StreamOf(StreamCatalog::kShardsMax);
  const auto change = PlanSplit(stream, ShardIndex(0), {0, 7});
  REQUIRE(change.has_value());
  CHECK(ApplyChanges(stream, {*change}, EndsOf({*change}, 0), 0).code() == Code::kResourceExhausted);
}

}  // namespace
}  // namespace sluice::broker
