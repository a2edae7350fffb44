// Assign: even parts, as few moves as they allow, and the same answer for the same input.
#include "broker/groups/assignment.h"

#include <algorithm>
#include <map>
#include <random>

#include "tests/catch.h"

namespace sluice::broker::groups {
namespace {

std::vector<MemberId> Members(std::size_t count) {
  std::vector<MemberId> members;
  for (std::size_t i = 1; i <= count; ++i) members.emplace_back(i * 10);
  return members;
}

std::vector<HeldShard> FreeShards(std::uint32_t count) {
  std::vector<HeldShard> shards;
  for (std::uint32_t i = 0; i < count; ++i) shards.push_back({.shard = ShardIndex(i), .holder = MemberId(0)});
  return shards;
}

std::map<MemberId, std::size_t> CountsOf(const std::vector<MemberId>& assigned) {
  std::map<MemberId, std::size_t> counts;
  for (const MemberId member : assigned) ++counts[member];
  return counts;
}

TEST_CASE("Assign: a joining member takes only what makes it even", "[broker]") {
  std::vector<HeldShard> shards = FreeShards(7);
  for (HeldShard& shard : shards) shard.holder = MemberId(10);
  const auto assigned = Assign(Members(2), shards);
  CHECK(CountsOf(assigned) == std::map<MemberId, std::size_t>{{MemberId(10), 4}, {MemberId(20), 3}});
}

TEST_CASE("Assign: a member that has left leaves the others what they have", "[broker]") {
  std::vector<HeldShard> shards = FreeShards(6);
  shards[0].holder = shards[3].holder = MemberId(10);
  shards[1].holder = shards[4].holder = MemberId(30);
  const auto assigned = Assign(std::vector{MemberId(10), MemberId(30)}, shards);
  for (const std::size_t i : {0u, 1u, 3u, 4u}) CHECK(assigned[i] == shards[i].holder);
  CHECK(CountsOf(assigned)[MemberId(10)] == 3);
}

TEST_CASE("Assign: shards that were asked back go before others", "[broker]") {
  std::vector<HeldShard> shards = FreeShards(4);
  for (HeldShard& shard : shards) shard.holder = MemberId(10);
  shards[0].asked_back = shards[2].asked_back = true;
  const auto assigned = Assign(Members(2), shards);
  CHECK(assigned == std::vector{MemberId(20), MemberId(10), MemberId(20), MemberId(10)});
}

TEST_CASE("Assign: even parts and the fewest moves from any state", "[broker]") {
  const std::uint64_t seed = GENERATE(take(20, random<std::uint64_t>(1, 1'000'000)));
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 100; ++round) {
    const std::vector<MemberId> members = Members(1 + random() % 8);
    std::vector<HeldShard> shards = FreeShards(static_cast<std::uint32_t>(random() % 30));
    for (HeldShard& shard : shards) {
      if (random() % 3 != 0) shard.holder = members[random() % members.size()];
      shard.asked_back = shard.holder != MemberId(0) && random() % 5 == 0;
    }
    const auto assigned = Assign(members, shards);
    REQUIRE(assigned.size() == shards.size());
    REQUIRE(assigned == Assign(members, shards));
    std::map<MemberId, std::size_t> held;
    std::size_t moves = 0;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      if (shards[i].holder == MemberId(0)) continue;
      ++held[shards[i].holder];
      if (assigned[i] != shards[i].holder) ++moves;
    }
    auto counts = CountsOf(assigned);
    const std::size_t part = shards.size() / members.size();
    // The fewest that can move: what each holds beyond its part, where those that hold most have the larger parts.
    std::vector<std::size_t> by_held;
    for (const MemberId member : members) {
      REQUIRE((counts[member] == part || counts[member] == part + 1));
      by_held.push_back(held[member]);
    }
    std::ranges::sort(by_held, std::ranges::greater());
    std::size_t fewest = 0;
    for (std::size_t i = 0; i < by_held.size(); ++i) {
      const std::size_t most = part + (i < shards.size() % members.size() ? 1 : 0);
      fewest += by_held[i] - std::min(by_held[i], most);
    }
    REQUIRE(moves == fewest);
  }
}

}  // namespace
}  // namespace sluice::broker::groups
