// Sequence numbers against numbers that Kinesis gave, and against what is known of their layout.
#include "protocol/sequence_number.h"

#include <string>

#include "tests/catch.h"

namespace sluice::protocol {
namespace {

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
