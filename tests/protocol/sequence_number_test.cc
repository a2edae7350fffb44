// Sequence numbers against numbers that Kinesis gave, and against what is known of their layout.
#include "protocol/sequence_number.h"

#include <rapidcheck.h>

#include <string>

#include "tests/catch.h"

namespace sluice::protocol {
namespace {

/// a - b and a + b of decimal numbers; a is the larger and longer one.
std::string Combine(const std::string& a, const std::string& b, int sign) {
  std::string result = a;
  int carry = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const int digit_b = i < b.size() ? b[b.size() - 1 - i] - '0' : 0;
    int digit = a[a.size() - 1 - i] - '0' + sign * digit_b + carry;
    carry = digit < 0 ? -1 : digit > 9 ? 1 : 0;
    digit -= 10 * carry;
    result[a.size() - 1 - i] = static_cast<char>('0' + digit);
  }
  REQUIRE(carry == 0);
  const std::size_t first = result.find_first_not_of('0');
  return first == std::string::npos ? "0" : result.substr(first);
}
std::string Subtract(const std::string& a, const std::string& b) { return Combine(a, b, -1); }
std::string Add(const std::string& a, const std::string& b) { return Combine(a, b, 1); }

TEST_CASE("ParseSequenceNumber: reads numbers of Amazon's own documentation", "[protocol]") {
  const std::string decimal = GENERATE("49543463076548007577105092703039560359975228518395019266",
                                       "49546986683135544286507457935754639466300920667981217794",
                                       "49590338271490256608559692538361571095921575989136588898");
  const auto number = ParseSequenceNumber(decimal);
  REQUIRE(number);
  CHECK(ToDecimal(*number) == decimal);
  CHECK(number->record_time_s >= number->shard_created_s);
}

TEST_CASE("ToDecimal: grows with offset, then with record time", "[protocol]") {
  const SequenceNumber first{1'600'000'000, ShardIndex(3), Offset(7), 1'600'000'100};
  SequenceNumber next = first;
  next.offset = Offset(8);
  next.record_time_s = 0;
  CHECK(ToDecimal(first) < ToDecimal(next));
  CHECK(ParseSequenceNumber(ToDecimal(first)) == first);
  CHECK(ParseSequenceNumber(ToDecimal(next)) == next);
}

TEST_CASE("ParseSequenceNumber: reads first and last number of closed shards as Kinesis gave them", "[protocol]") {
  struct Shard {
    std::string first;
    std::string last;
    std::uint32_t index;
    std::int64_t created_s;
  };
  const Shard shard = GENERATE(Shard{"49549167410945534708633744510750617797212193316405248018",
                                     "49549167410956685081233009822320176730553508082787287058", 1, 1'427'390'931},
                               Shard{"49548859072970256769156879668947671610661756289899560962",
                                     "49548859072981407141756144980517230543978492779512725506", 0, 1'426'526'784});
  const SequenceNumber first{shard.created_s, ShardIndex(shard.index), Offset(0), shard.created_s};
  CHECK(ToDecimal(first) == shard.first);
  const auto last = ParseSequenceNumber(shard.last);
  REQUIRE(last);
  CHECK(last->shard == ShardIndex(shard.index));
  CHECK(last->shard_created_s == shard.created_s);
  CHECK(last->offset == kMaxOffset);
  CHECK(last->record_time_s > shard.created_s);
  CHECK(ToDecimal(*last) == shard.last);
}

TEST_CASE("ToDecimal: first numbers of neighbouring shards are as far apart as in Kinesis", "[protocol]") {
  for (std::uint32_t shard = 1; shard < 16; ++shard) {
    const std::string before = ToDecimal({1'700'000'000, ShardIndex(shard - 1), Offset(0), 1'700'000'000});
    const std::string number = ToDecimal({1'700'000'000, ShardIndex(shard), Offset(0), 1'700'000'000});
    CHECK(Subtract(number, before) == "22300745198530623141535718272648361505980432");
  }
}

TEST_CASE("ToDecimal: random numbers come back, and order as their fields do", "[protocol]") {
  CHECK(rc::check([](std::uint32_t shard, std::uint64_t offset_a, std::uint64_t offset_b) {
    const auto created_s = *rc::gen::inRange<std::int64_t>(0, 16'025'175'000);
    const auto time_a_s = *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 36);
    const auto time_b_s = *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 36);
    const SequenceNumber a{created_s, ShardIndex(shard), Offset(offset_a >> 1), time_a_s};
    const SequenceNumber b{created_s, ShardIndex(shard), Offset(offset_b >> 1), time_b_s};
    RC_ASSERT(ToDecimal(a).size() == 56u);
    RC_ASSERT((ParseSequenceNumber(ToDecimal(a)) == a));
    if (a.offset != b.offset) RC_ASSERT((ToDecimal(a) < ToDecimal(b)) == (a.offset < b.offset));
  }));
}

TEST_CASE("ToDecimal: has 56 digits at both ends of every field", "[protocol]") {
  const SequenceNumber smallest;
  const SequenceNumber largest{16'025'174'999, ShardIndex(~0u), kMaxOffset, (std::int64_t{1} << 36) - 1};
  CHECK(ToDecimal(smallest).size() == 56);
  CHECK(ToDecimal(largest).size() == 56);
  CHECK(ParseSequenceNumber(ToDecimal(smallest)) == smallest);
  CHECK(ParseSequenceNumber(ToDecimal(largest)) == largest);
}

TEST_CASE("ParseSequenceNumber: refuses one wrong field each", "[protocol]") {
  // 47 hex digits, in decimal: the number of offset 41 in protocol/BATCH.md with one digit changed.
  const std::string bad =
      GENERATE("49646437577175378652512468275300102539007575381589884979",   // version 3
               "49646437577175378652512468275300102539007575381589884994",   // shard 4 in the low field only
               "49646437577175378652512468275300107261374058251235098674",   // 01 instead of 00 before the record time
               "49646437577186529025111733586870870398143899562342875186");  // offset 2^63 + 41
  CHECK_FALSE(ParseSequenceNumber(bad).has_value());
}

TEST_CASE("ParseSequenceNumber: refuses a creation time that Kinesis calls too large", "[protocol]") {
  const std::string last = ToDecimal({16'025'174'999, ShardIndex(0), Offset(0), 0});
  CHECK(ParseSequenceNumber(last).has_value());
  // One second more in creation time is 16^37 more.
  CHECK_FALSE(ParseSequenceNumber(Add(last, "356811923176489970264571492362373784095686656")).has_value());
}

TEST_CASE("ParseSequenceNumber: refuses what is not one", "[protocol]") {
  const std::string bad = GENERATE("", "0", "x", "4954346307654800757710509270303956035997522851839501926",
                                   "495434630765480075771050927030395603599752285183950192660",
                                   "4954346307654800757710509270303956035997522851839501926x",
                                   "49543463076548007577105092703039560359975228518395019267",
                                   "99999999999999999999999999999999999999999999999999999999",
                                   "00000000000000000000000000000000000000000000000000000000");
  const auto number = ParseSequenceNumber(bad);
  REQUIRE_FALSE(number);
  CHECK(number.error().code() == Code::kInvalidArgument);
}

}  // namespace
}  // namespace sluice::protocol
