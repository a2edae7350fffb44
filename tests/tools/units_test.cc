// Retentions, positions, times and counts as people write and read them.
#include "tools/sluice/units.h"

#include <fmt/format.h>

#include <chrono>

#include "tests/catch.h"

using namespace sluice;
using namespace sluice::tools;
using std::chrono::milliseconds;

TEST_CASE("ParseRetention: age, size, both, forever", "[tools]") {
  CHECK_FALSE(ParseRetention("forever")->age.has_value());
  CHECK(ParseRetention("7d")->age == milliseconds(604'800'000));
  auto both = ParseRetention("24h,10GiB");
  REQUIRE(both.has_value());
  CHECK(both->bytes == 10ull << 30);
  CHECK(FormatRetention(*both) == "1d,10GiB");
  CHECK(ParseRetention("10GiB,24h")->bytes == 10ull << 30);
  for (const char* text : {"soon", "", "24", "24h,", ",24h", "24h,48h", "1GiB,2GiB", "24h,1GiB,1d", "10M", "24h,5"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseRetention(text).has_value());
  }
}

TEST_CASE("ParsePosition: all forms", "[tools]") {
  CHECK(ParsePosition("oldest", 0)->kind == Position::Kind::kOldest);
  CHECK(ParsePosition("latest", 0)->kind == Position::Kind::kLatest);
  CHECK(ParsePosition("seq:17", 0)->offset == 17);
  CHECK(ParsePosition("time:1000", 0)->time_ms == 1000);
  CHECK(ParsePosition("time:10m", 600'001)->time_ms == 1);
  CHECK(ParsePosition("time:1970-01-01T01:00:01.5+01:00", 0)->time_ms == 1500);
  CHECK_FALSE(ParsePosition("seq:-1", 0).has_value());
  CHECK_FALSE(ParsePosition("yesterday", 0).has_value());
  CHECK(ParsePosition("time:2024-02-29T00:00:00Z", 0)->time_ms == 1'709'164'800'000);
  for (const char* time : {"2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-03-01T00:00:00+02:00xyz",
                           "2026-03-01T00:00:00+24:00", "2026-03-01T00:00:00+02:60", "2026-03-01T00:00:00Zulu"}) {
    CAPTURE(time);
    CHECK_FALSE(ParsePosition(fmt::format("time:{}", time), 0).has_value());
  }
}

TEST_CASE("FormatTime and FormatCount", "[tools]") {
  CHECK(FormatTime(1'500) == "1970-01-01T00:00:01.500Z");
  CHECK(FormatCount(0) == "0");
  CHECK(FormatCount(1'234'567) == "1,234,567");
  CHECK(FormatCounted(1, "record") == "1 record");
  CHECK(FormatCounted(0, "record") == "0 records");
  CHECK(FormatCounted(1'000, "line was", "lines were") == "1,000 lines were");
}
