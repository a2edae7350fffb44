// Plain paths: which programs they are, and what they give, as jq 1.6 does.
#include "broker/delivery/processing/jq_paths.h"

#include <string>

#include "tests/catch.h"

namespace sluice::delivery {
namespace {

std::string Padded(std::string_view json) { return std::string(json) + std::string(64, '\0'); }

/// The value of one path in `json`, "null", or "error: ..".
std::string Value(std::string_view path, std::string_view json) {
  auto paths = CompileJqPaths("{k:" + std::string(path) + "}");
  if (!paths) return "no path";
  JqPathReader reader(std::move(*paths));
  const std::string padded = Padded(json);
  std::vector<std::string_view> values;
  const Status status = reader.Read({padded.data(), json.size()}, values);
  if (!status.ok()) return "error: " + status.message();
  return values.at(0).empty() ? "null" : std::string(values[0]);
}

}  // namespace

TEST_CASE("CompileJqPaths: what is one object of plain paths", "[delivery]") {
  const auto paths = CompileJqPaths(R"( { customer : .user.id, "the day":.time["day"] ,first: .items[0].name, region,
      last: .["a b"][-1], "q": ."x y".z } )");
  REQUIRE(paths.has_value());
  const auto number = [](std::int64_t place) { return JqPath::Step(place); };
  const auto key = [](const char* name) { return JqPath::Step(std::string(name)); };
  CHECK(*paths == std::vector<JqPath>{{"customer", {key("user"), key("id")}},
                                      {"the day", {key("time"), key("day")}},
                                      {"first", {key("items"), number(0), key("name")}},
                                      {"region", {key("region")}},
                                      {"last", {key("a b"), number(-1)}},
                                      {"q", {key("x y"), key("z")}}});
  for (const std::string_view program : {"",
                                         "{}",
                                         "{",
                                         ".a",
                                         "{a}x",
                                         "{a:}",
                                         "{a:.}",
                                         "{a:.b",
                                         "{a:.b,}",
                                         "{a:.b|tostring}",
                                         "{a:.b // 1}",
                                         "{a:.b[]}",
                                         "{a:.b[1:2]}",
                                         "{a:[0]}",
                                         "{a: [\"b\"]}",
                                         "{a:.b?}",
                                         "{a:..}",
                                         "{(.x):.b}",
                                         "{a:$x}",
                                         "{a:@text}",
                                         "{a:\"b\"}",
                                         "{a:.b,a:.c}",
                                         "{1:.b}",
                                         R"({a:."b\n"})",
                                         "{a:.b[}",
                                         "{a:.b[\"c]}"}) {
    INFO(program);
    CHECK_FALSE(CompileJqPaths(program).has_value());
  }
}

TEST_CASE("JqPathReader Read: values as jq gives them, as texts", "[delivery]") {
  struct ValueCase {
    std::string_view path, json, value;
  };
  constexpr ValueCase kCases[] = {
      {".a", R"({"a":"x"})", "x"},
      {".a", R"({"a":1})", "1"},
      {".a", R"({"a":-7})", "-7"},
      {".a", R"({"a":1.5})", "1.5"},
      {".a", R"({"a":1.0})", "1"},
      {".a", R"({"a":1e3})", "1000"},
      {".a", R"({"a":true})", "true"},
      {".a", R"({"a":false})", "false"},
      {".a", R"({"a":null})", "null"},
      {".a", R"({"b":1})", "null"},
      {".a.b.c", R"({"b":1})", "null"},
      {".a", R"({"a":{"b":[1, 2]}})", R"({"b":[1,2]})"},
      {".a", R"({"a":[1.0, 12345678901234567890, {"b":1e2}]})", R"([1,12345678901234567000,{"b":100}])"},
      {".a", R"({"a":{"b":1,"c":2,"b":[true,null]}})", R"({"b":[true,null],"c":2})"},
      {".a", R"({"a":{"\u007f":"\u0001\n\"\/"}})", R"({"\u007f":"\u0001\n\"/"})"},
      {".a", R"({"a":1,"a":2})", "2"},
      {".a", R"({"a":"caf\u00e9"})", "caf\xc3\xa9"},
      {".a[1]", R"({"a":[1,2]})", "2"},
      {".a[-1]", R"({"a":[1,2]})", "2"},
      {".a[2]", R"({"a":[1,2]})", "null"},
      {".a[-3]", R"({"a":[1,2]})", "null"},
      {".a[0].b", R"({"a":[{"b":"c"}]})", "c"},
      {".a.b", R"({"a":"x"})", R"(error: Cannot index string with string "b")"},
      {".a.b", R"({"a":[1]})", R"(error: Cannot index array with string "b")"},
      {".a[0]", R"({"a":{"b":1}})", "error: Cannot index object with number"},
      {".a[0]", R"({"a":true})", "error: Cannot index boolean with number"},
      {".a", "7", R"(error: Cannot index number with string "a")"},
  };
  for (const ValueCase& c : kCases) {
    INFO(c.path << " of " << c.json);
    CHECK(Value(c.path, c.json) == c.value);
  }
  for (const std::string_view json : {"", "{", "x", R"({"a":1} {"a":2})", "{\"a\":\"\xff\"}", "{\"a\":01}"}) {
    INFO(json);
    CHECK(Value(".a", json).starts_with("error: the record is no JSON"));
  }
}

TEST_CASE("JqNumberText: as jq 1.6 prints numbers", "[delivery]") {
  struct NumberCase {
    double number;
    std::string_view text;
  };
  for (const NumberCase& c : {NumberCase{0.1, "0.1"},
                              {100000, "100000"},
                              {1e15, "1000000000000000"},
                              {1e16, "1e+16"},
                              {1.5e17, "1.5e+17"},
                              {123456789012345678.0, "123456789012345680"},
                              {12345678901234567890.0, "12345678901234567000"},
                              {1234567890123456789012.0, "1234567890123456800000"},
                              {1e-4, "0.0001"},
                              {1e-5, "1e-05"},
                              {1.234e-05, "1.234e-05"},
                              {-2.5, "-2.5"},
                              {0, "0"},
                              {3.14159265358979, "3.14159265358979"}}) {
    CHECK(JqNumberText(c.number) == c.text);
  }
}

}  // namespace sluice::delivery
