// Sizes and durations: which are taken, and that what is printed is read back as the same.
#include "protocol/units.h"

#include "tests/catch.h"

namespace sluice::protocol {
namespace {

TEST_CASE("ParseBytes: units in any case, fractions of them, whole bytes only", "[protocol]") {
  CHECK(ParseBytes("0") == 0u);
  CHECK(ParseBytes("4096") == 4'096u);
  CHECK(ParseBytes("1.5GiB") == 1'610'612'736u);
  CHECK(ParseBytes("10mb") == 10'000'000u);
  CHECK(ParseBytes("1 KiB") == 1'024u);
  CHECK(ParseBytes("2PiB") == std::uint64_t{2} << 50);
  CHECK(ParseBytes("9007199254740993") == 9'007'199'254'740'993u);  // a double cannot hold it
  for (const char* wrong : {"", "-1", "1.3B", "10 parsec", "9999999999GiB", "1e3", "nan", "GiB", "1GiB "}) {
    INFO(wrong);
    CHECK_FALSE(ParseBytes(wrong).has_value());
  }
}

TEST_CASE("ParseDurationMs: needs a unit, whole milliseconds only", "[protocol]") {
  CHECK(ParseDurationMs("1500ms") == 1'500);
  CHECK(ParseDurationMs("0.5s") == 500);
  CHECK(ParseDurationMs("24h") == 86'400'000);
  CHECK(ParseDurationMs("7d") == 604'800'000);
  CHECK(ParseDurationMs("2w") == 1'209'600'000);
  for (const char* wrong : {"5", "0.5ms", "-1s", "99999999999999999d", "h"}) {
    INFO(wrong);
    CHECK_FALSE(ParseDurationMs(wrong).has_value());
  }
}

TEST_CASE("FormatBytes and FormatDurationMs: the shortest that is read back as the same", "[protocol]") {
  CHECK(FormatBytes(64u << 20) == "64MiB");
  CHECK(FormatBytes(0) == "0B");
  CHECK(FormatBytes(4'097) == "4097B");
  CHECK(FormatDurationMs(90'000) == "90s");
  CHECK(FormatDurationMs(604'800'000) == "7d");
  CHECK(FormatDurationMs(0) == "0ms");
  for (const std::uint64_t bytes : {1ull, 1'024ull, 1'500'000ull, 3ull << 40})
    CHECK(ParseBytes(FormatBytes(bytes)) == bytes);
  for (const std::int64_t ms : {1, 1'000, 61'000, 3'600'000}) CHECK(ParseDurationMs(FormatDurationMs(ms)) == ms);
}

}  // namespace
}  // namespace sluice::protocol
