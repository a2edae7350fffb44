// Variable-length integers: known forms, the edges, and the forms that must be refused.
#include "protocol/varint.h"

#include <array>
#include <limits>
#include <string>

#include "tests/catch.h"

namespace sluice::protocol {
namespace {

std::string Written(std::int64_t value) {
  std::array<char, kVarlongSizeMax> bytes;
  return std::string(bytes.data(), WriteVarint(bytes.data(), value));
}

TEST_CASE("WriteVarint: known values have their known bytes", "[protocol]") {
  CHECK(Written(0) == std::string("\0", 1));
  CHECK(Written(-1) == "\x01");
  CHECK(Written(1) == "\x02");
  CHECK(Written(63) == "\x7E");
  CHECK(Written(64) == "\x80\x01");
  CHECK(Written(-65) == "\x81\x01");
  CHECK(Written(std::numeric_limits<std::int32_t>::min()) == "\xFF\xFF\xFF\xFF\x0F");
}

TEST_CASE("ReadVarlong: reads back the edges of every length", "[protocol]") {
  for (int bits = 0; bits < 64; ++bits) {
    for (const std::int64_t step : {-1, 0, 1}) {
      const auto value = static_cast<std::int64_t>((std::uint64_t{1} << bits) + static_cast<std::uint64_t>(step));
      const std::string bytes = Written(value) + "rest";
      CHECK(bytes.size() == VarintSize(value) + 4);
      std::string_view in = bytes;
      std::int64_t read = 0;
      REQUIRE(ReadVarlong(in, read));
      CHECK(read == value);
      CHECK(in == "rest");
    }
  }
}

TEST_CASE("ReadVarint: refuses what ends early or is too large", "[protocol]") {
  using namespace std::string_view_literals;
  const std::string_view bad =
      GENERATE(""sv, "\x80"sv, "\xFF\xFF\xFF\xFF"sv, "\xFF\xFF\xFF\xFF\x10"sv, "\xFF\xFF\xFF\xFF\x8F\x00"sv);
  std::string_view in = bad;
  std::int32_t value = 7;
  CHECK_FALSE(ReadVarint(in, value));
  CHECK(in == bad);
  CHECK(value == 7);
}

TEST_CASE("ReadVarlong: refuses a 65th bit", "[protocol]") {
  std::string_view in("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02");
  std::int64_t value = 0;
  CHECK_FALSE(ReadVarlong(in, value));
  in = std::string_view("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01");
  CHECK(ReadVarlong(in, value));
  CHECK(value == std::numeric_limits<std::int64_t>::min());
}

}  // namespace
}  // namespace sluice::protocol
