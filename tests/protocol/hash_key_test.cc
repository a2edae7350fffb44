// Hash keys and the shard map, against values that Kinesis itself gives.
#include "protocol/hash_key.h"

#include <rapidcheck.h>

#include <string>
#include <vector>

#include "tests/catch.h"

namespace sluice::protocol {
namespace {

HashKey Next(HashKey key) { return {key.high + (key.low == ~std::uint64_t{0} ? 1 : 0), key.low + 1}; }
HashKey Before(HashKey key) { return {key.high - (key.low == 0 ? 1 : 0), key.low - 1}; }
HashKey Plus(HashKey a, HashKey b) {
  const std::uint64_t low = a.low + b.low;
  return {a.high + b.high + (low < a.low ? 1 : 0), low};
}

TEST_CASE("HashPartitionKey: is MD5 as a big-endian number", "[protocol]") {
  // RFC 1321, appendix A.5: MD5("") = d41d8cd98f00b204e9800998ecf8427e and MD5("a") = 0cc175b9c0f1b6a831c399e269772661.
  CHECK(HashPartitionKey("") == HashKey{0xd41d8cd98f00b204, 0xe9800998ecf8427e});
  CHECK(HashPartitionKey("a") == HashKey{0x0cc175b9c0f1b6a8, 0x31c399e269772661});
  CHECK(ToDecimal(HashPartitionKey("a")) == "16955237001963240173058271559858726497");
}

TEST_CASE("ParseHashKey: reads what ToDecimal writes, and the bounds", "[protocol]") {
  CHECK(ToDecimal(kMinHashKey) == "0");
  CHECK(ToDecimal(kMaxHashKey) == "340282366920938463463374607431768211455");
  for (const HashKey key : {kMinHashKey, HashKey{0, 1}, HashKey{1, 0}, HashKey{1u << 31, ~0u}, kMaxHashKey}) {
    CHECK(ParseHashKey(ToDecimal(key)) == key);
  }
}

TEST_CASE("ParseHashKey: refuses everything else", "[protocol]") {
  const std::string bad =
      GENERATE("", "-1", "+1", " 1", "1 ", "00", "01", "a", "1e3", "340282366920938463463374607431768211456",
               "999999999999999999999999999999999999999", "1000000000000000000000000000000000000000");
  const auto key = ParseHashKey(bad);
  REQUIRE_FALSE(key);
  CHECK(key.error().code() == Code::kInvalidArgument);
}

TEST_CASE("ShardMap Uniform: cuts the space as CreateStream does", "[protocol]") {
  const ShardMap one = ShardMap::Uniform(1);
  CHECK(one.ranges() == std::vector<ShardRange>{{ShardIndex(0), kMinHashKey, kMaxHashKey}});
  const ShardMap three = ShardMap::Uniform(3);
  REQUIRE(three.ranges().size() == 3);
  CHECK(ToDecimal(three.ranges()[0].last) == "113427455640312821154458202477256070484");
  CHECK(ToDecimal(three.ranges()[1].first) == "113427455640312821154458202477256070485");
  CHECK(ToDecimal(three.ranges()[1].last) == "226854911280625642308916404954512140969");
  CHECK(ToDecimal(three.ranges()[2].first) == "226854911280625642308916404954512140970");
  CHECK(three.ranges()[2].last == kMaxHashKey);
}

TEST_CASE("ShardMap Uniform: cuts the space into 2^128 / N each, without gap", "[protocol]") {
  CHECK(rc::check([] {
    const auto count = *rc::gen::inRange<std::uint32_t>(1, 5000);
    const std::vector<ShardRange> ranges = ShardMap::Uniform(count).ranges();
    RC_ASSERT(ranges.size() == count);
    RC_ASSERT((ranges.front().first == kMinHashKey));
    RC_ASSERT((ranges.back().last == kMaxHashKey));
    const HashKey width = ranges.size() > 1 ? ranges[1].first : kMaxHashKey;
    for (std::size_t i = 1; i < ranges.size(); ++i) {
      RC_ASSERT((Next(ranges[i - 1].last) == ranges[i].first));
      RC_ASSERT((Plus(ranges[i - 1].first, width) == ranges[i].first));
    }
    RC_ASSERT(ShardMap::FromRanges(ranges).has_value());
  }));
}

TEST_CASE("ShardMap Find: agrees with a look at every range", "[protocol]") {
  CHECK(rc::check([](std::uint64_t high, std::uint64_t low) {
    const ShardMap map = ShardMap::Uniform(*rc::gen::inRange<std::uint32_t>(1, 300));
    const HashKey key{high, low};
    int owners = 0;
    for (const ShardRange& range : map.ranges()) {
      const bool owns = range.first <= key && key <= range.last;
      owners += owns ? 1 : 0;
      RC_ASSERT((map.Find(key) == range.shard) == owns);
      RC_ASSERT((map.Find(range.first) == range.shard));
      RC_ASSERT((map.Find(range.last) == range.shard));
    }
    RC_ASSERT(owners == 1);
  }));
}

TEST_CASE("ShardMap FromRanges: takes a space that was split and merged at random", "[protocol]") {
  CHECK(rc::check([] {
    std::vector<ShardRange> ranges = ShardMap::Uniform(4).ranges();
    std::uint32_t next_shard = 4;
    for (int i = *rc::gen::inRange(0, 20); i > 0; --i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, ranges.size());
      const HashKey middle{ranges[at].first.high / 2 + ranges[at].last.high / 2, *rc::gen::arbitrary<std::uint64_t>()};
      if (middle <= ranges[at].first || ranges[at].last < middle) continue;
      ranges.push_back({ShardIndex(next_shard++), middle, ranges[at].last});
      ranges[at] = {ShardIndex(next_shard++), ranges[at].first, Before(middle)};
    }
    const auto map = ShardMap::FromRanges(ranges);
    RC_ASSERT(map.has_value());
    for (const ShardRange& range : ranges) RC_ASSERT((map->Find(range.last) == range.shard));
    const auto gone = *rc::gen::inRange<std::size_t>(0, ranges.size());
    ranges.erase(ranges.begin() + static_cast<std::ptrdiff_t>(gone));
    RC_ASSERT_FALSE(ShardMap::FromRanges(ranges).has_value());
  }));
}

TEST_CASE("ParseHashKey: random keys come back from decimal", "[protocol]") {
  CHECK(rc::check([](std::uint64_t high, std::uint64_t low) {
    const HashKey key{high, low};
    RC_ASSERT((ParseHashKey(ToDecimal(key)) == key));
  }));
}

TEST_CASE("ShardMap Find: gives the shard whose range holds the key", "[protocol]") {
  const ShardMap two = ShardMap::Uniform(2);
  CHECK(two.Find(kMinHashKey) == ShardIndex(0));
  CHECK(two.Find({(std::uint64_t{1} << 63) - 1, ~std::uint64_t{0}}) == ShardIndex(0));
  CHECK(two.Find({std::uint64_t{1} << 63, 0}) == ShardIndex(1));
  CHECK(two.Find(kMaxHashKey) == ShardIndex(1));
  CHECK(two.FindByPartitionKey("a") == ShardIndex(0));
  CHECK(two.FindByPartitionKey("") == ShardIndex(1));
}

TEST_CASE("ShardMap FromRanges: takes any order, refuses gaps and overlaps", "[protocol]") {
  const HashKey middle{std::uint64_t{1} << 63, 0};
  const HashKey before_middle{(std::uint64_t{1} << 63) - 1, ~std::uint64_t{0}};
  const ShardRange lower{ShardIndex(5), kMinHashKey, before_middle};
  const ShardRange upper{ShardIndex(4), middle, kMaxHashKey};
  const ShardRange everything{ShardIndex(1), kMinHashKey, kMaxHashKey};
  const auto map = ShardMap::FromRanges({upper, lower});
  REQUIRE(map);
  CHECK(map->Find(middle) == ShardIndex(4));
  CHECK(map->Find(before_middle) == ShardIndex(5));
  CHECK_FALSE(ShardMap::FromRanges({}));
  CHECK_FALSE(ShardMap::FromRanges({lower}));
  CHECK_FALSE(ShardMap::FromRanges({upper}));
  CHECK_FALSE(ShardMap::FromRanges({lower, lower}));
  CHECK_FALSE(ShardMap::FromRanges({everything, everything}));
  CHECK_FALSE(ShardMap::FromRanges({everything, upper}));
  CHECK_FALSE(ShardMap::FromRanges({{ShardIndex(1), kMaxHashKey, kMinHashKey}}));
}

}  // namespace
}  // namespace sluice::protocol
