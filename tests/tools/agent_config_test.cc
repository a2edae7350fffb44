// The Kinesis Agent's configuration: what is read, what is warned of, what is wrong where.
#include "tools/agent/agent_config.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/catch.h"

using namespace sluice;
using namespace sluice::tools;

namespace {

AgentConfig Parsed(std::string_view text) {
  auto config = ParseAgentConfig(text, "agent.json");
  INFO((config ? "" : config.error().message()));
  REQUIRE(config.has_value());
  return std::move(*config);
}

std::string MistakeIn(std::string_view text) {
  const auto config = ParseAgentConfig(text, "agent.json");
  REQUIRE_FALSE(config.has_value());
  CHECK(config.error().code() == Code::kInvalidArgument);
  return config.error().message();
}

std::string FlowMistake(const std::string& members) {
  return MistakeIn(R"({"flows":[{"filePattern":"/l/a*","kinesisStream":"s",)" + members + "}]}");
}

}  // namespace

TEST_CASE("ParseAgentConfig: a flow's keys and their presets", "[agent]") {
  const auto config = Parsed(R"({
    // as people write it
    "flows": [
      {"filePattern": "/var/log/app.log*", "kinesisStream": "orders", "partitionKeyOption": "deterministic",
       "initialPosition": "START_OF_FILE", "maxBufferAgeMillis": "1500", "skipHeaderLines": 2},
      {"filePattern": "file:///tmp/x", "deliveryStream": "web", "aggregatedRecordSizeBytes": 1000}
    ]})");
  REQUIRE(config.flows.size() == 2);
  CHECK(config.warnings.empty());
  CHECK(config.flows[0].destination() == "orders");
  CHECK(config.flows[0].deterministic_keys);
  CHECK(config.flows[0].from_start);
  CHECK(config.flows[0].buffer_age_ms == 1500);
  CHECK(config.flows[0].skip_header_lines == 2);
  CHECK(config.flows[1].destination() == "delivery:web");
  CHECK(config.flows[1].file_pattern == "/tmp/x");
  CHECK(config.flows[1].buffer_bytes == 4u << 20);
  CHECK(config.flows[1].aggregated_bytes == 1000);
  CHECK_FALSE(config.flows[1].from_start);
}

TEST_CASE("ParseAgentConfig: keys that mean nothing here are told of, once each", "[agent]") {
  const auto config = Parsed(R"({"cloudwatch.emitMetrics": true, "kinesis.endpoint": "x", "checkpointFil": "y",
    "flows": [{"filePattern": "/l/a", "kinesisStream": "s", "publishQueueCapacity": 5}]})");
  REQUIRE(config.warnings.size() == 4);
  CHECK(config.warnings[0] == "agent.json: cloudwatch.emitMetrics is not used: the broker has metrics of its own");
  CHECK(config.warnings[1].starts_with("agent.json: kinesis.endpoint is not used: "));
  CHECK(config.warnings[2] == "agent.json: checkpointFil is not known, and not used; did you mean 'checkpointFile'?");
  CHECK(config.warnings[3].starts_with("agent.json: flows[0].publishQueueCapacity is not used: "));
}

TEST_CASE("ParseAgentConfig: mistakes are named with their place", "[agent]") {
  CHECK(MistakeIn("{\n  \"flows\": [,]\n}").starts_with("agent.json:2:13: this is not JSON: "));
  CHECK(MistakeIn(R"({"flows": 5})") == "agent.json: flows: it is not a list");
  CHECK(MistakeIn(R"({"flows":[{"kinesisStream":"s"}]})") == "agent.json: flows[0].filePattern: it is missing");
  CHECK(MistakeIn(R"({"flows":[{"filePattern":"/l/"}]})") ==
        "agent.json: flows[0].filePattern: it names a directory; name its files, such as DIR/*.log");
  CHECK(MistakeIn(R"({"flows":[{"filePattern":"/l/a"}]})") ==
        "agent.json: flows[0].kinesisStream: exactly one of kinesisStream and deliveryStream must be there");
  CHECK(FlowMistake(R"("initialPosition":"START_OF_FIL")") ==
        "agent.json: flows[0].initialPosition: 'START_OF_FIL' is none of END_OF_FILE, START_OF_FILE; did you mean "
        "'START_OF_FILE'?");
  CHECK(FlowMistake(R"("maxBufferAgeMillis":"soon")") ==
        "agent.json: flows[0].maxBufferAgeMillis: soon is not a whole number from 1 to 900000");
  CHECK(FlowMistake(R"json("multiLineStartPattern":"(?=x)")json")
            .starts_with("agent.json: flows[0].multiLineStartPattern: it is no pattern of RE2"));
  CHECK(FlowMistake(R"("dataProcessingOptions":[{"optionName":"CSVTOJSN"}])")
            .starts_with("agent.json: flows[0].dataProcessingOptions[0].optionName: 'CSVTOJSN' is none of "));
  CHECK(
      FlowMistake(
          R"json("dataProcessingOptions":[{"optionName":"LOGTOJSON","logFormat":"SYSLOG","matchPattern":"(a)(b)"}])json") ==
      "agent.json: flows[0].dataProcessingOptions[0].matchPattern: the pattern has 2 groups for 5 fields");
}

TEST_CASE("ReadAgentConfig: flows of a directory stand behind the file's own, and none is there twice", "[agent]") {
  std::string pattern = (std::filesystem::temp_directory_path() / "sluice-agent-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  const std::filesystem::path directory(pattern);
  std::filesystem::create_directory(directory / "d");
  const auto write = [&](const char* name, std::string_view stream) {
    std::ofstream(directory / name) << R"({"flows":[{"filePattern":"/l/a","kinesisStream":")" << stream << "\"}]}";
  };
  write("agent.json", "one");
  write("d/b.json", "three");
  write("d/a.json", "two");
  write("d/notes.txt", "none");
  const auto config = ReadAgentConfig(directory / "agent.json", directory / "d");
  REQUIRE(config.has_value());
  std::string streams;
  for (const FlowConfig& flow : config->flows) streams += flow.stream + " ";
  CHECK(streams == "one two three ");
  write("d/c.json", "two");
  const auto doubled = ReadAgentConfig(directory / "agent.json", directory / "d");
  REQUIRE_FALSE(doubled.has_value());
  CHECK(doubled.error().message().ends_with("two flows read /l/a into two"));
  std::filesystem::remove_all(directory);
}

TEST_CASE("docs/agent.md: has a row for every key", "[agent]") {
  std::ostringstream page;
  page << std::ifstream("docs/agent.md").rdbuf();
  for (std::string key : AgentConfigKeys()) {
    if (key.starts_with("flows[].")) key.erase(0, 8);
    INFO(key);
    CHECK(page.str().find("`" + key + "`") != std::string::npos);
  }
}
