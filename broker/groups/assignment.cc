// Parts first, then who keeps what, then the rest.
#include "broker/groups/assignment.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "protocol/check.h"

namespace sluice::broker::groups {
namespace {

std::size_t PlaceOf(std::span<const MemberId> members, MemberId member) {
  const auto found = std::ranges::lower_bound(members, member);
  SLUICE_CHECK(found != members.end() && *found == member);
  return static_cast<std::size_t>(found - members.begin());
}

// How many shards each member gets. Where they do not go up evenly, those that hold most now get one more: that moves
// least.
std::vector<std::size_t> PartsOf(std::span<const MemberId> members, std::span<const HeldShard> shards) {
  std::vector<std::size_t> held(members.size(), 0);
  for (const HeldShard& shard : shards) {
    if (shard.holder != MemberId(0)) ++held[PlaceOf(members, shard.holder)];
  }
  std::vector<std::size_t> by_held(members.size());
  std::iota(by_held.begin(), by_held.end(), 0);
  const auto rank = [&](std::size_t member) { return std::pair(held[member], members.size() - member); };
  std::ranges::sort(by_held, std::ranges::greater(), rank);
  std::vector<std::size_t> parts(members.size(), shards.size() / members.size());
  for (std::size_t i = 0; i < shards.size() % members.size(); ++i) ++parts[by_held[i]];
  return parts;
}

}  // namespace

std::vector<MemberId> Assign(std::span<const MemberId> members, std::span<const HeldShard> shards) {
  SLUICE_CHECK(!members.empty());
  std::vector<std::size_t> room = PartsOf(members, shards);
  std::vector<MemberId> assigned(shards.size(), MemberId(0));
  for (const bool asked_back : {false, true}) {
    for (std::size_t i = 0; i < shards.size(); ++i) {
      const HeldShard& shard = shards[i];
      if (shard.holder == MemberId(0) || shard.asked_back != asked_back) continue;
      std::size_t& left = room[PlaceOf(members, shard.holder)];
      if (left == 0) continue;
      --left;
      assigned[i] = shard.holder;
    }
  }
  std::size_t taker = 0;
  for (MemberId& member : assigned) {
    if (member != MemberId(0)) continue;
    while (room[taker] == 0) ++taker;  // the parts go up to all shards
    --room[taker];
    member = members[taker];
  }
  return assigned;
}

}  // namespace sluice::broker::groups
