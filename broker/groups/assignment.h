// Which member of a consumer group reads which shard: balanced, and with as few moves as that allows.
//
// Values only: no clock, no I/O; safe everywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "protocol/ids.h"

namespace sluice::broker::groups {

/// A member of a group, chosen by its client at random; 0 stands for nobody.
using MemberId = StrongId<struct MemberIdTag, std::uint64_t>;

/// A shard that is to be read, and who reads it now.
struct HeldShard {
  ShardIndex shard;
  MemberId holder;          // MemberId(0): nobody
  bool asked_back = false;  // its holder has been asked to give it up
};

/// The member for each of `shards`, in their order. The numbers of any two members differ by one at most. A shard stays
/// where it is unless its holder has more than its part; of those that must go, the ones that were asked back are
/// chosen first. The same input always gives the same answer.
///
/// `members` ascend and are at least one; every holder is one of them.
std::vector<MemberId> Assign(std::span<const MemberId> members, std::span<const HeldShard> shards);

}  // namespace sluice::broker::groups
