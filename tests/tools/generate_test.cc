// Templates of the Kinesis Data Generator: what each function gives, what is wrong where, and when records are due.
#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tools/generate/moment_format.h"
#include "tools/generate/pace.h"
#include "tools/generate/template.h"

using namespace sluice::tools;

namespace {

std::string Render(std::string_view text, std::uint64_t seed = 1) {
  const auto parsed = Template::Parse(text, "t");
  INFO((parsed ? "" : parsed.error().message()));
  REQUIRE(parsed.has_value());
  SeededRandom random(seed);
  RenderContext context{random, 1'700'000'000'123, 1'700'000'001'000};
  std::string out;
  parsed->Render(context, out);
  return out;
}

std::string MistakeIn(std::string_view text) {
  const auto parsed = Template::Parse(text, "t");
  REQUIRE_FALSE(parsed.has_value());
  return parsed.error().message();
}

}  // namespace

TEST_CASE("Template Parse: text without calls stands as it is", "[generate]") {
  CHECK(Render("hello { } }} world") == "hello { } }} world");
  CHECK(Render(R"({"a":{"b":1}})") == R"({"a":{"b":1}})");
}

TEST_CASE("Template Render: braces of JSON beside those of a call", "[generate]") {
  CHECK(Render(R"({"a":{{{random.number({"min":7,"max":7})}}}})") == R"({"a":{7}})");
  CHECK(Render("{{ random.number( {\n  \"min\": 3, \"max\": 3\n} ) }}") == "3");
  CHECK(Render(R"({{random.arrayElement(["}}"])}})") == "}}");
}

TEST_CASE("Template Render: random.number keeps to its range, ends included", "[generate]") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 300; ++seed) seen.insert(Render("{{random.number(3)}}", seed));
  CHECK(seen == std::set<std::string>{"0", "1", "2", "3"});
  seen.clear();
  for (std::uint64_t seed = 0; seed < 300; ++seed)
    seen.insert(Render(R"({{random.number({"min":-1,"max":0,"precision":0.5})}})", seed));
  CHECK(seen == std::set<std::string>{"-1.0", "-0.5", "0.0"});
}

TEST_CASE("Template Render: random.number has the decimals of its step", "[generate]") {
  const auto seen = [](std::string_view options) {
    std::set<std::string> texts;
    for (std::uint64_t seed = 0; seed < 300; ++seed)
      texts.insert(Render(fmt::format("{{{{random.number({})}}}}", options), seed));
    return texts;
  };
  CHECK(seen(R"({"max":0.5,"precision":0.25})") == std::set<std::string>{"0.00", "0.25", "0.50"});
  CHECK(seen(R"({"max":5,"precision":2.5})") == std::set<std::string>{"0.0", "2.5", "5.0"});
  CHECK(seen(R"({"max":0.003,"precision":0.0015})") == std::set<std::string>{"0.0000", "0.0015", "0.0030"});
  CHECK(seen(R"({"max":200,"precision":100})") == std::set<std::string>{"0", "100", "200"});
}

TEST_CASE("Template Render: elements stand without their quotes, weights of 0 are never taken", "[generate]") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    seen.insert(Render(R"({{random.arrayElement(["a",2,true]) }})", seed));
  CHECK(seen == std::set<std::string>{"a", "2", "true"});
  seen.clear();
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    seen.insert(Render(R"({{random.weightedArrayElement({"weights":[0,0.5,0.5],"data":["x","y","z"]})}})", seed));
  CHECK(seen == std::set<std::string>{"y", "z"});
}

TEST_CASE("Template Render: dates in formats of moment", "[generate]") {
  CHECK(Render(R"({{date.utc("YYYY-MM-DD HH:mm:ss.SSS")}})") == "2023-11-14 22:13:20.123");
  CHECK(Render("{{date.utc}}") == "2023-11-14T22:13:20Z");
  CHECK(Render("{{current.timestamp}}") == "1700000000123");
  const CivilTime time = CivilTimeAt(1'700'000'000'123, -330);
  CHECK(FormatMoment(time, "DD/MMM/YYYY:HH:mm:ss ZZ") == "14/Nov/2023:16:43:20 -0530");
  CHECK(FormatMoment(time, "dddd ddd Do D DDD Q M MM MMMM YY") == "Tuesday Tue 14th 14 318 4 11 11 November 23");
  CHECK(FormatMoment(time, "[at] h:mm A a k S X x Z") == "at 4:43 PM pm 16 1 1700000000 1700000000123 -05:30");
  CHECK(FormatMoment(CivilTimeAt(0, 60), "") == "1970-01-01T01:00:00+01:00");
  const auto weeks = [](std::int64_t time_ms) {
    return FormatMoment(CivilTimeAt(time_ms, 0), "GGGG-[W]WW W gggg ww w");
  };
  CHECK(weeks(1'700'000'000'123) == "2023-W46 46 2023 46 46");
  CHECK(weeks(1'609'459'200'000) == "2020-W53 53 2021 01 1");  // Friday, 2021-01-01
  CHECK(weeks(1'735'516'800'000) == "2025-W01 1 2025 01 1");   // Monday, 2024-12-30
  CHECK(weeks(1'735'430'400'000) == "2024-W52 52 2025 01 1");  // Sunday, 2024-12-29
  CHECK(FormatMoment(CivilTimeAt(1'700'000'000'123, 0), "GG gg Wo wo") == "23 23 46th 46th");
}

TEST_CASE("Template Render: the same seed, the same record; every function can be called", "[generate]") {
  std::string all;
  for (const std::string& name : TemplateFunctionNames()) {
    if (name == "random.arrayElement" || name == "random.weightedArrayElement") continue;
    all.append(name).append("={{").append(name).append("}}\n");
  }
  CHECK(Render(all, 5) == Render(all, 5));
  CHECK(Render(all, 5) != Render(all, 6));
  CHECK(Render(all, 5).find("=\n") == std::string::npos);
}

TEST_CASE("Template Parse: mistakes are named with their place", "[generate]") {
  CHECK(MistakeIn("a\n b {{random.numbr(5)}}") ==
        "t:2:6: there is no function 'random.numbr'; did you mean 'random.number'?");
  CHECK(MistakeIn("{{random.uuid") == "t:1:1: '{{' is never closed with '}}'");
  CHECK(MistakeIn("{{}}") == "t:1:3: a call names no function");
  CHECK(MistakeIn("x{{random.number(5}}") == "t:1:2: '{{' is never closed with '}}'");
  CHECK(MistakeIn("{{random.number(5) 6}}") == "t:1:16: the arguments of 'random.number' do not end with a ')'");
  CHECK(MistakeIn("{{random.number(five)}}").starts_with("t:1:17: the arguments of 'random.number' are not JSON: "));
  CHECK(MistakeIn("{{random.arrayElement}}") ==
        "t:1:3: 'random.arrayElement': it takes an array with at least one element");
  CHECK(MistakeIn(R"({{random.weightedArrayElement({"weights":[1],"data":["a","b"]})}})") ==
        "t:1:3: 'random.weightedArrayElement': there are 1 weights for 2 elements");
  CHECK(MistakeIn(R"({{random.number({"min":5,"max":4})}})") == "t:1:3: 'random.number': max 4 is below min 5");
}

TEST_CASE("GeneratePace WaitForNext: ends with the records, and times follow the rate", "[generate]") {
  GeneratePace pace({.records_max = 3, .start_ms = 1000}, 0);
  std::vector<std::int64_t> times;
  while (pace.WaitForNext([] { return false; })) times.push_back(pace.now_ms());
  CHECK(times == std::vector<std::int64_t>{1000, 1010, 1020});
  GeneratePace stopped({.rate = 1e-6}, 0);
  CHECK(stopped.WaitForNext([] { return false; }));  // the first is due at once
  CHECK_FALSE(stopped.WaitForNext([] { return true; }));
}
