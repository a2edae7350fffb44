// Golden table of prefix expressions, time patterns, time zones and object keys.
#include "broker/delivery/prefix.h"

#include <fstream>
#include <sstream>

#include "broker/delivery/iso_time.h"
#include "tests/catch.h"

namespace sluice::delivery {
namespace {

/// A zone file of the machine's tzdata, which both Debian releases have.
TimeZone Zone(const std::string& name) {
  std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  Result<TimeZone> zone = TimeZone::FromTzif(name, bytes.str());
  INFO(name);
  REQUIRE(zone.has_value());
  return *zone;
}

std::string Format(std::string_view pattern, std::string_view time, const TimeZone& zone) {
  const auto parsed = TimePattern::Parse(pattern);
  INFO(pattern);
  REQUIRE(parsed.has_value());
  return parsed->Format(*ParseIsoTimeMs(time) / 1000, zone);
}

struct PatternCase {
  std::string_view pattern, time, expected;
};

// Expected values: java.time.format.DateTimeFormatter with Locale.US.
const PatternCase kPatterns[] = {
    {"yyyy/MM/dd/HH/", "2018-08-27T10:30:05Z", "2018/08/27/10/"},
    {"yyyy", "2018-08-27T10:30:05Z", "2018"},
    {"yy", "2018-08-27T10:30:05Z", "18"},
    {"y", "2018-08-27T10:30:05Z", "2018"},
    {"uuuu", "2018-08-27T10:30:05Z", "2018"},
    {"yyyyyy", "2018-08-27T10:30:05Z", "002018"},
    {"M", "2018-08-07T10:30:05Z", "8"},
    {"MM", "2018-08-07T10:30:05Z", "08"},
    {"MMM", "2018-08-07T10:30:05Z", "Aug"},
    {"MMMM", "2018-08-07T10:30:05Z", "August"},
    {"MMMMM", "2018-08-07T10:30:05Z", "A"},
    {"LL", "2018-08-07T10:30:05Z", "08"},
    {"d", "2018-08-07T10:30:05Z", "7"},
    {"dd", "2018-08-07T10:30:05Z", "07"},
    {"D", "2018-02-01T00:00:00Z", "32"},
    {"DDD", "2018-02-01T00:00:00Z", "032"},
    {"DDD", "2020-12-31T00:00:00Z", "366"},
    {"H", "2018-08-07T09:30:05Z", "9"},
    {"HH:mm:ss", "2018-08-07T09:30:05Z", "09:30:05"},
    {"hh a", "2018-08-07T00:30:05Z", "12 AM"},
    {"h a", "2018-08-07T13:30:05Z", "1 PM"},
    {"K", "2018-08-07T12:30:05Z", "0"},
    {"kk", "2018-08-07T00:30:05Z", "24"},
    {"SSS", "2018-08-07T00:30:05Z", "000"},
    {"SSSSSSSSS", "2018-08-07T00:30:05.123Z", "000000000"},
    {"EEE", "2018-08-27T10:30:05Z", "Mon"},
    {"EEEE", "2018-08-26T10:30:05Z", "Sunday"},
    {"EEEEE", "2018-08-31T10:30:05Z", "F"},
    {"e", "2018-08-26T10:30:05Z", "1"},
    {"e", "2018-08-25T10:30:05Z", "7"},
    {"YYYY", "2018-12-29T10:30:05Z", "2018"},
    {"YYYY", "2018-12-30T10:30:05Z", "2019"},
    {"YYYY/ww", "2019-01-01T00:00:00Z", "2019/01"},
    {"w", "2018-01-07T00:00:00Z", "2"},
    {"ww", "2016-12-31T00:00:00Z", "53"},
    {"W", "2018-08-01T00:00:00Z", "1"},
    {"W", "2018-08-05T00:00:00Z", "2"},
    {"Q", "2018-08-01T00:00:00Z", "3"},
    {"QQ", "2018-12-01T00:00:00Z", "04"},
    {"QQQ", "2018-01-01T00:00:00Z", "Q1"},
    {"'year='yyyy", "2018-08-27T10:30:05Z", "year=2018"},
    {"yyyy'/month='MM'/day='dd", "2018-08-27T10:30:05Z", "2018/month=08/day=27"},
    {"'it''s' yyyy", "2018-08-27T10:30:05Z", "it's 2018"},
    {"yyyy''MM", "2018-08-27T10:30:05Z", "2018'08"},
    {"'dt='yyyy-MM-dd", "2018-08-27T10:30:05Z", "dt=2018-08-27"},
    {"X", "2018-08-27T10:30:05Z", "Z"},
    {"x", "2018-08-27T10:30:05Z", "+00"},
    {"xx", "2018-08-27T10:30:05Z", "+0000"},
    {"Z", "2018-08-27T10:30:05Z", "+0000"},
    {"ZZZZ", "2018-08-27T10:30:05Z", "GMT"},
    {"z", "2018-08-27T10:30:05Z", "UTC"},
    {"VV", "2018-08-27T10:30:05Z", "UTC"},
    {"yyyy-MM-dd-HH-mm-ss", "1970-01-01T00:00:00Z", "1970-01-01-00-00-00"},
    {"yyyy-MM-dd-HH-mm-ss", "2024-02-29T23:59:59Z", "2024-02-29-23-59-59"},
    {"G", "2018-08-27T10:30:05Z", "AD"},
};

struct ZoneCase {
  std::string_view zone, time, expected;
};

const ZoneCase kZones[] = {
    {"Europe/Berlin", "2018-08-27T22:30:05Z", "2018-08-28 00:30:05 CEST +0200"},
    {"Europe/Berlin", "2018-01-27T22:30:05Z", "2018-01-27 23:30:05 CET +0100"},
    {"Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29 01:59:59 CET +0100"},
    {"Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29 03:00:00 CEST +0200"},
    {"Europe/Berlin", "2026-10-25T00:59:59Z", "2026-10-25 02:59:59 CEST +0200"},
    {"Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-25 02:00:00 CET +0100"},
    {"America/New_York", "2026-11-21T03:00:00Z", "2026-11-20 22:00:00 EST -0500"},
    {"America/New_York", "2050-07-04T12:00:00Z",
     "2050-07-04 08:00:00 EDT -0400"},  // by the rule behind the last transition
    {"Australia/Sydney", "2050-01-15T12:00:00Z", "2050-01-15 23:00:00 AEDT +1100"},
    {"Australia/Sydney", "2050-07-15T12:00:00Z", "2050-07-15 22:00:00 AEST +1000"},
    {"Asia/Kolkata", "2026-11-21T20:00:00Z", "2026-11-22 01:30:00 IST +0530"},
    {"America/St_Johns", "2026-11-21T03:00:00Z", "2026-11-20 23:30:00 NST -0330"},
    {"Asia/Kathmandu", "2026-11-21T20:00:00Z", "2026-11-22 01:45:00 +0545 +0545"},
};

std::string Evaluate(std::string_view prefix, PrefixKind kind, std::string_view error_type = "") {
  static const TimeZone kUtc = TimeZone::Utc();
  const auto parsed = Prefix::Parse(prefix, kind);
  if (!parsed) return "invalid: " + parsed.error().message();
  return parsed->Evaluate({*ParseIsoTimeMs("2018-08-27T10:30:05Z"), &kUtc, 42, error_type});
}

}  // namespace

TEST_CASE("TimePattern Format: Java's fields", "[delivery]") {
  const TimeZone utc = TimeZone::Utc();
  for (const PatternCase& c : kPatterns) {
    INFO(c.pattern << " at " << c.time);
    CHECK(Format(c.pattern, c.time, utc) == c.expected);
  }
}

TEST_CASE("TimePattern Format: in time zones, over the change of the clocks and behind the last transition",
          "[delivery]") {
  for (const ZoneCase& c : kZones) {
    INFO(c.zone << " at " << c.time);
    CHECK(Format("yyyy-MM-dd HH:mm:ss z Z", c.time, Zone(std::string(c.zone))) == c.expected);
  }
  const TimeZone kolkata = Zone("Asia/Kolkata");
  CHECK(Format("XXX x O ZZZZ VV", "2026-11-21T20:00:00Z", kolkata) == "+05:30 +0530 GMT+5:30 GMT+05:30 Asia/Kolkata");
}

TEST_CASE("TimeZone FromTzif: every cut of a zone file is refused or read without harm", "[delivery]") {
  std::ifstream file("/usr/share/zoneinfo/Europe/Berlin", std::ios::binary);
  std::stringstream stream;
  stream << file.rdbuf();
  const std::string bytes = stream.str();
  REQUIRE(bytes.size() > 100);
  for (std::size_t size = 0; size < bytes.size() - 40; ++size) {
    CHECK_FALSE(TimeZone::FromTzif("Europe/Berlin", std::string_view(bytes).substr(0, size)).has_value());
  }
}

TEST_CASE("TimePattern Parse: what is no pattern", "[delivery]") {
  for (const std::string_view pattern :
       {"", "yyyy'open", "ddd", "HHH", "DDDD", "jj", "P", "aa", "V", "yyyy{", "[yyyy]", "#"}) {
    INFO(pattern);
    CHECK_FALSE(TimePattern::Parse(pattern).has_value());
  }
}

TEST_CASE("Prefix Evaluate: Firehose's own examples", "[delivery]") {
  const auto objects = [](std::string_view prefix) { return Evaluate(prefix, PrefixKind::kObjects); };
  const auto errors = [](std::string_view prefix) {
    return Evaluate(prefix, PrefixKind::kErrors, "processing-failed");
  };
  CHECK(objects("") == "2018/08/27/10/");
  CHECK(objects("legacy") == "legacy2018/08/27/10/");
  CHECK(objects("myFirehosePrefix/") == "myFirehosePrefix/2018/08/27/10/");
  CHECK(objects("myPrefix/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/") ==
        "myPrefix/year=2018/month=08/day=27/hour=10/");
  CHECK(objects("!{timestamp:'year='yyyy'/month='MM}/x-") == "year=2018/month=08/x-");
  CHECK(errors("myFirehoseFailures/!{firehose:error-output-type}/") == "myFirehoseFailures/processing-failed/");
  CHECK(errors("myFirehoseFailures/!{firehose:error-output-type}/!{timestamp:yyyy}/anyMonth/!{timestamp:dd}") ==
        "myFirehoseFailures/processing-failed/2018/anyMonth/27");
  CHECK(errors(DefaultErrorPrefix("base/")) == "base/processing-failed/2018/08/27/10/");
  CHECK(errors(DefaultErrorPrefix("")) == "processing-failed/2018/08/27/10/");
}

TEST_CASE("Prefix Evaluate: random strings are 11 characters, new at each use, the same again for the same seed",
          "[delivery]") {
  const std::string first =
      Evaluate("!{firehose:random-string}/!{firehose:random-string}/!{timestamp:yyyy}/", PrefixKind::kObjects);
  REQUIRE(first.size() == 11 + 1 + 11 + 1 + 5);
  CHECK(first.substr(0, 11) != first.substr(12, 11));
  CHECK(first ==
        Evaluate("!{firehose:random-string}/!{firehose:random-string}/!{timestamp:yyyy}/", PrefixKind::kObjects));
  const TimeZone utc = TimeZone::Utc();
  CHECK(Prefix::Parse("!{firehose:random-string}", PrefixKind::kErrors)->Evaluate({0, &utc, 43, "x"}) !=
        first.substr(0, 11));
}

TEST_CASE("Prefix Evaluate: partition keys, each value one segment that no other value becomes", "[delivery]") {
  const TimeZone utc = TimeZone::Utc();
  const auto prefix = Prefix::Parse(
      "c=!{partitionKeyFromQuery:customer}/d=!{partitionKeyFromLambda:day}/again=!{partitionKeyFromQuery:customer}/",
      PrefixKind::kObjects);
  REQUIRE(prefix.has_value());
  CHECK(prefix->partition_keys() == std::vector<PartitionExpression>{{PartitionKeySource::kQuery, "customer"},
                                                                     {PartitionKeySource::kLambda, "day"}});
  const auto with = [&](std::string_view customer) {
    const std::vector<std::string_view> values = {customer, "01"};
    return prefix->Evaluate({0, &utc, 0, "", values});
  };
  CHECK(with("42") == "c=42/d=01/again=42/");  // no implicit time
  CHECK(with("../a b") == "c=..%2Fa b/d=01/again=..%2Fa b/");
  struct ValueCase {
    std::string_view value, text;
  };
  for (const ValueCase& c : {ValueCase{"..", "%2E%2E"},
                             {".", "%2E"},
                             {"a/b", "a%2Fb"},
                             {"a%2Fb", "a%252Fb"},
                             {"a\\b", "a%5Cb"},
                             {"line\nbreak", "line%0Abreak"},
                             {"Köln", "Köln"},
                             {"...", "..."}}) {
    INFO(c.value);
    CHECK(PartitionValue(c.value) == c.text);
    CHECK(SafeKey(PartitionValue(c.value)) == c.text);
  }
}

TEST_CASE("Prefix Parse: rules", "[delivery]") {
  const auto problem = [](std::string_view text, PrefixKind kind) {
    const auto parsed = Prefix::Parse(text, kind);
    return parsed ? std::string("valid") : parsed.error().message();
  };
  CHECK(problem("!{firehose:error-output-type}/", PrefixKind::kObjects).find("ErrorOutputPrefix") != std::string::npos);
  CHECK(problem("!{firehose:error-output-type}/", PrefixKind::kErrors) == "valid");
  CHECK(problem("a!{timestamp:yyyy", PrefixKind::kObjects).find("not closed") != std::string::npos);
  CHECK(problem("!{}", PrefixKind::kObjects).find("namespace:value") != std::string::npos);
  CHECK(problem("!{time:yyyy}", PrefixKind::kObjects).find("'time' is no namespace") != std::string::npos);
  CHECK(problem("!{firehose:random}", PrefixKind::kObjects).find("random-string") != std::string::npos);
  CHECK(problem("!{timestamp:}", PrefixKind::kObjects).find("empty") != std::string::npos);
  CHECK(problem("a/../b/", PrefixKind::kObjects).find("'..'") != std::string::npos);
  CHECK(problem("..", PrefixKind::kErrors).find("'..'") != std::string::npos);
  CHECK(problem("a/./", PrefixKind::kObjects).find("'.'") != std::string::npos);
  CHECK(problem("a\nb", PrefixKind::kObjects).find("control character") != std::string::npos);
  CHECK(problem(std::string(512, 'a'), PrefixKind::kObjects) == "valid");
  CHECK(problem(std::string(513, 'a'), PrefixKind::kObjects).find("at most 512") != std::string::npos);
  CHECK(problem(std::string(1025, 'a'), PrefixKind::kObjects).find("at most 1024") != std::string::npos);
  CHECK(problem("x=!{partitionKeyFromQuery:x}/", PrefixKind::kObjects) == "valid");
  CHECK(problem("!{partitionKeyFromQuery:}/", PrefixKind::kObjects).find("no name") != std::string::npos);
  CHECK(problem("!{partitionKeyFromLambda:x}!{firehose:error-output-type}", PrefixKind::kErrors).find("Prefix only") !=
        std::string::npos);
}

TEST_CASE("ObjectName and SafeKey: deterministic and safe as a path", "[delivery]") {
  const TimeZone utc = TimeZone::Utc();
  const std::string uuid = HashedUuid("range");
  CHECK(uuid.size() == 36);
  CHECK(uuid[14] == '8');
  CHECK(uuid == HashedUuid("range"));
  CHECK(uuid != HashedUuid("Range"));
  CHECK(ObjectName("orders", 1, {*ParseIsoTimeMs("2018-08-27T10:30:05Z"), &utc, 0, ""}, uuid, ".gz") ==
        "orders-1-2018-08-27-10-30-05-" + uuid + ".gz");
  CHECK(SafeKey("a//b/./../c\\d\x01") == "a/b/_/__/c_d_");
  CHECK(SafeKey("/a/b") == "a/b");
  CHECK(SafeKey("a..b/.c") == "a..b/.c");
}

TEST_CASE("ParseIsoTimeMs: what is a moment", "[delivery]") {
  CHECK(ParseIsoTimeMs("2026-11-21T10:00:00Z") == 1795255200000);
  CHECK(ParseIsoTimeMs("2026-11-21T10:00:00.25+01:00") == 1795255200250 - 3'600'000);
  CHECK(ParseIsoTimeMs("2026-11-21") == 1795219200000);
  CHECK(ParseIsoTimeMs("1795255200") == 1795255200000);
  CHECK(ParseIsoTimeMs("1795255200123") == 1795255200123);
  CHECK(IsoTimeText(1795255200123) == "2026-11-21T10:00:00.123Z");
  for (const std::string_view text :
       {"", "yesterday", "2026-13-01", "2026-11-21T10:00:00", "2026-11-21T25:00:00Z", "-5", "2026-11-21T10:00:00Zx"}) {
    INFO(text);
    CHECK_FALSE(ParseIsoTimeMs(text).has_value());
  }
}

}  // namespace sluice::delivery
