// What the agent makes of lines: records, JSON, metadata, keys.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tools/agent/agent_config.h"
#include "tools/agent/chunk.h"
#include "tools/agent/log_to_json.h"

using namespace sluice;
using namespace sluice::tools;

namespace {

FlowConfig FlowWith(const std::string& members) {
  auto config = ParseAgentConfig(R"({"flows":[{"filePattern":"/l/a",)" + members + "}]}", "t");
  INFO((config ? "" : config.error().message()));
  REQUIRE(config.has_value());
  return std::move(config->flows.at(0));
}

std::string Converted(const std::string& option, std::string_view record) {
  const FlowConfig flow = FlowWith(R"("kinesisStream":"s","dataProcessingOptions":[)" + option + "]");
  return flow.processing->Convert(std::string(record)).value_or("(left out)");
}

std::vector<std::string> Records(const RecordSplitter& splitter, std::string_view text, bool no_more) {
  std::vector<std::string> records;
  while (const auto end = splitter.RecordEnd(text, no_more)) {
    records.emplace_back(text.substr(0, *end));
    text.remove_prefix(*end);
  }
  records.push_back("rest: " + std::string(text));
  return records;
}

}  // namespace

TEST_CASE("RecordSplitter RecordEnd: a line a record, with its newline", "[agent]") {
  const auto splitter = RecordSplitter::New("");
  REQUIRE(splitter.has_value());
  CHECK(Records(*splitter, "a\n\nbc\nd", false) == std::vector<std::string>{"a\n", "\n", "bc\n", "rest: d"});
}

TEST_CASE("RecordSplitter RecordEnd: lines belong to the record whose start is above them", "[agent]") {
  const auto splitter = RecordSplitter::New(R"(\[\d+\])");
  REQUIRE(splitter.has_value());
  const std::string_view text = "[1] a\n  at b\n  [9] c\n[2] d\n[3] e\n  at";
  CHECK(Records(*splitter, text, false) ==
        std::vector<std::string>{"[1] a\n  at b\n  [9] c\n", "[2] d\n", "rest: [3] e\n  at"});
  CHECK(Records(*splitter, "[3] e\n  at f\n", true) == std::vector<std::string>{"[3] e\n  at f\n", "rest: "});
  CHECK(Records(*splitter, "lost\n[1] a\n", false) == std::vector<std::string>{"lost\n", "rest: [1] a\n"});
}

TEST_CASE("ProcessingChain SINGLELINE: lines become one", "[agent]") {
  CHECK(Converted(R"({"optionName":"SINGLELINE"})", " a \n  b\n") == "ab\n");
  CHECK(Converted(R"({"optionName":"SINGLELINE","parseOptions":["NO_TRIM","ESCAPE_NEW_LINE"]})", " a\n b\n") ==
        " a\\n b\n");
}

TEST_CASE("ProcessingChain CSVTOJSON: columns have the given names, missing ones are null", "[agent]") {
  CHECK(Converted(R"({"optionName":"CSVTOJSON","customFieldNames":["a","b","c"]})", "1,,3,4\n") ==
        "{\"a\":\"1\",\"b\":\"\",\"c\":\"3\"}\n");
  CHECK(Converted(R"({"optionName":"CSVTOJSON","customFieldNames":["a","b"],"delimiter":"\\t"})", "x\n") ==
        "{\"a\":\"x\",\"b\":null}\n");
  CHECK(Converted(
            R"({"optionName":"CSVTOJSON","customFieldNames":["a","b"],"delimiter":"\\|","jsonFormat":"PRETTYPRINT"})",
            "x|y\n") == "{\n  \"a\" : \"x\",\n  \"b\" : \"y\"\n}\n");
}

TEST_CASE("ProcessingChain LOGTOJSON: the formats' fields, as they stand in the line", "[agent]") {
  CHECK(Converted(R"({"optionName":"LOGTOJSON","logFormat":"COMMONAPACHELOG"})",
                  "192.0.2.7 - bob [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 -\n") ==
        R"({"host":"192.0.2.7","ident":"-","authuser":"bob","datetime":"17/May/2015:10:05:03 +0000",)"
        "\"request\":\"GET /a HTTP/1.1\",\"response\":\"200\",\"bytes\":\"-\"}\n");
  CHECK(Converted(R"({"optionName":"LOGTOJSON","logFormat":"SYSLOG"})", "Jan  1 12:00:00 web cron: started\n") ==
        R"({"timestamp":"Jan  1 12:00:00","hostname":"web","program":"cron","processid":null,"message":"started"})"
        "\n");
  CHECK(Converted(R"({"optionName":"LOGTOJSON","logFormat":"RFC3339SYSLOG"})",
                  "2026-03-01T12:00:00.5Z web sshd[7]: in\n") ==
        R"({"timestamp":"2026-03-01T12:00:00.5Z","hostname":"web","program":"sshd","processid":"7","message":"in"})"
        "\n");
  CHECK(Converted(R"({"optionName":"LOGTOJSON","logFormat":"COMBINEDAPACHELOG"})", "nothing of the kind\n") ==
        "(left out)");
}

TEST_CASE("ProcessingChain LOGTOJSON: own pattern and names", "[agent]") {
  CHECK(
      Converted(
          R"json({"optionName":"LOGTOJSON","logFormat":"SYSLOG","matchPattern":"(?<x>\\d+) (.*)","customFieldNames":["n","t"]})json",
          "5 five\n") == "{\"n\":\"5\",\"t\":\"five\"}\n");
  CHECK(PatternForRe2(R"re((?<a>x)(?<=y)\(?<b)re") == R"re((?P<a>x)(?<=y)\(?<b)re");
}

TEST_CASE("ProcessingChain ADDMETADATA, ADDBRACKETS: around the record, one after another", "[agent]") {
  CHECK(Converted(R"({"optionName":"ADDMETADATA","metadata":{"k":"v","o":{"p":1}}})", "a \"b\"\n") ==
        "{\"metadata\":{\"k\":\"v\",\"o\":{\"p\":1}},\"data\":\"a \\\"b\\\"\"}\n");
  CHECK(Converted(R"({"optionName":"ADDMETADATA","metadata":{},"timestamp":"true"})", "a\n").find(R"(,"ts":"20)") !=
        std::string::npos);
  CHECK(Converted(R"({"optionName":"SINGLELINE"},{"optionName":"ADDBRACKETS"})", " a\n") == "{a\n}");
}

TEST_CASE("Chunk Add: cut records end with the terminator", "[agent]") {
  const FlowConfig flow = FlowWith(R"("kinesisStream":"s","truncatedRecordTerminator":"<cut>\n")");
  Chunk chunk(flow);
  chunk.Add(std::string(kAgentRecordBytesMax - 1, 'x') + '\n', {.wall_ms = 1});
  chunk.Add(std::string(kAgentRecordBytesMax, 'x') + '\n', {.wall_ms = 1});
  REQUIRE(chunk.records().size() == 2);
  CHECK(chunk.records()[0].value.ends_with("xx\n"));
  CHECK(chunk.records()[1].value.size() == kAgentRecordBytesMax);
  CHECK(chunk.records()[1].value.ends_with("xx<cut>\n"));
  CHECK(chunk.cut() == 1);
}

TEST_CASE("Chunk Add: keys and joined records", "[agent]") {
  const FlowConfig fixed = FlowWith(R"("kinesisStream":"s","partitionKeyOption":"DETERMINISTIC")");
  Chunk of_hashes(fixed);
  of_hashes.Add("user-1", {.wall_ms = 1});
  CHECK(of_hashes.records()[0].key == "d6d7705392bc7af633328bea8c4c6904");
  const FlowConfig joined = FlowWith(R"("deliveryStream":"d","aggregatedRecordSizeBytes":6)");
  Chunk chunk(joined);
  for (const char* line : {"a\n", "bc\n", "d\n", "efghijk\n"}) chunk.Add(line, {.wall_ms = 1});
  REQUIRE(chunk.records().size() == 3);
  CHECK(chunk.records()[0].value == "a\nbc\n");
  CHECK(chunk.records()[0].key.empty());
  CHECK(chunk.records()[2].value == "efghijk\n");
}

TEST_CASE("Chunk Limit: records and chunks keep to what the broker takes", "[agent]") {
  const FlowConfig flow = FlowWith(R"("kinesisStream":"s")");
  Chunk chunk(flow);
  chunk.Limit(1024, 3000);
  int records = 0;
  while (!chunk.full() && records < 100) {
    chunk.Add(std::string(1100, 'x') + '\n', {.wall_ms = 1});
    ++records;
  }
  CHECK(records == 3);
  CHECK(chunk.cut() == 3);
  CHECK(chunk.records()[0].key.size() + chunk.records()[0].value.size() <= 1024);
  CHECK(chunk.records()[0].value.ends_with("x\n"));
}

TEST_CASE("Chunk full: at the most records or bytes", "[agent]") {
  const FlowConfig flow = FlowWith(R"("kinesisStream":"s","maxBufferSizeRecords":2,"maxBufferSizeBytes":100)");
  Chunk chunk(flow);
  CHECK(chunk.empty());
  chunk.Add("a\n", {.wall_ms = 5});
  CHECK_FALSE(chunk.full());
  CHECK(chunk.records()[0].timestamp_ms == 5);
  chunk.Add("b\n", {.wall_ms = 6});
  CHECK(chunk.full());
  chunk.Clear();
  chunk.Add(std::string(100, 'x'), {.wall_ms = 7});
  CHECK(chunk.full());
}

TEST_CASE("Chunk due: at the age of its first record, whatever becomes of the time of day", "[agent]") {
  const FlowConfig flow = FlowWith(R"("kinesisStream":"s","maxBufferAgeMillis":1000)");
  constexpr std::int64_t kHourMs = 3'600'000;
  Chunk chunk(flow);
  CHECK_FALSE(chunk.due({.wall_ms = kHourMs, .monotonic_ms = 5000}));
  chunk.Add("a\n", {.wall_ms = kHourMs, .monotonic_ms = 5000});
  chunk.Add("b\n", {.wall_ms = kHourMs, .monotonic_ms = 5900});
  CHECK_FALSE(chunk.due({.wall_ms = 2 * kHourMs, .monotonic_ms = 5999}));
  CHECK(chunk.due({.wall_ms = 0, .monotonic_ms = 6000}));
}
