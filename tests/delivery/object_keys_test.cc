// Runs object_keys.table: each line is a delivery of one record, from the configuration to the object's key.
#include <fmt/format.h>

#include <atomic>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "broker/delivery/iso_time.h"
#include "broker/delivery/trial_delivery.h"
#include "protocol/json_text.h"
#include "storage/env/memory_env.h"
#include "tests/catch.h"
#include "tests/delivery/lambda_fixture.h"

namespace sluice::delivery {
namespace {

struct KeyCase {
  int line = 0;
  std::string prefix, error_prefix, time, zone, keys, failure, fields, expected;
};

std::string Trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  return std::string(text.substr(begin, text.find_last_not_of(' ') + 1 - begin));
}

/// With <x*N> written out.
std::string Repeated(std::string text) {
  static const std::regex kRepeat("<x\\*(\\d+)>");
  for (std::smatch match; std::regex_search(text, match, kRepeat);) {
    text = match.prefix().str() + std::string(std::stoul(match[1]), 'x') + match.suffix().str();
  }
  return text;
}

std::vector<KeyCase> ReadTable() {
  std::ifstream file(SLUICE_OBJECT_KEYS);
  REQUIRE(file.good());
  std::vector<KeyCase> cases;
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    if (text.empty() || text.starts_with('#')) continue;
    std::vector<std::string> cells;
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find(" | ", begin), text.size());
      cells.push_back(Repeated(Trimmed(std::string_view(text).substr(begin, end - begin))));
      begin = end + 3;
    }
    INFO("line " << line);
    REQUIRE(cells.size() == 8);
    cases.push_back({line, cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], cells[7]});
  }
  return cases;
}

void AddMember(std::string& members, std::string_view name, const std::string& cell) {
  if (cell == "-") return;
  members += fmt::format(R"("{}":)", name);
  protocol::AppendJsonString(members, cell == "\"\"" ? "" : cell);
  members += ',';
}

/// A JSON object of the cell behind `word`; empty where there is none.
std::string KeysOf(const KeyCase& row, std::string_view word) {
  const std::size_t at = row.keys.find(std::string(word) + " {");
  if (at == row.keys.npos) return "";
  const std::size_t begin = at + word.size() + 1;
  return row.keys.substr(begin, row.keys.find('}', begin) + 1 - begin);
}

/// "{c: .c}" for {"c":"42"}.
std::string QueryOf(const std::string& keys) {
  const auto tree = ParseJsonTree(keys, "keys");
  REQUIRE(tree.has_value());
  std::string query;
  for (const ConfigField& field : tree->fields)
    query += fmt::format("{}{}: .{}", query.empty() ? "" : ", ", field.key, field.key);
  return "{" + query + "}";
}

std::string Processor(std::string_view type, std::string_view parameter = "", std::string_view value = "") {
  const std::string given =
      parameter.empty()
          ? ""
          : fmt::format(R"(,"Parameters":[{{"ParameterName":"{}","ParameterValue":"{}"}}])", parameter, value);
  return fmt::format(R"({{"Type":"{}"{}}})", type, given);
}

class KeyTable {
 public:
  KeyTable() : lambda_([this](const FakeEndpoint::Request& request) { return Answer(request); }) {}

  /// The key of the only object, or "! " and what refuses the case.
  std::string Run(const KeyCase& row) {
    lambda_keys_ = KeysOf(row, "lambda");
    auto parsed = ParseDeliveryConfig(DocumentOf(row), "case.json");
    if (!parsed) return "! " + parsed.error().message();
    storage::MemoryEnv env;
    env.manual_clock().SetWallMs(*ParseIsoTimeMs(row.time));
    const Result<TrialOutcome> outcome = TryDelivery(parsed->config, {RecordOf(row)},
                                                     {.env = env,
                                                      .work_dir = "/samples",
                                                      .load_zone = LoadZone,
                                                      .processors = {.stopping = &stopping_},
                                                      .base = {}});
    if (!outcome) return "! " + outcome.error().message();
    if (*env.Exists("/samples/d.spill")) return "what was set aside is left";
    if (outcome->objects.size() != 1) return fmt::format("{} objects", outcome->objects.size());
    const TrialObject& object = outcome->objects.front();
    if (object.error != (row.failure != "-")) return object.error ? "an error: " + object.bytes : "no error";
    return object.key;
  }

 private:
  static Result<TimeZone> LoadZone(const std::string& name) {
    if (name.empty()) return TimeZone::Utc();
    std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
    if (!file) return Error(Code::kInvalidArgument, "this machine does not know the time zone '" + name + "'");
    std::stringstream bytes;
    bytes << file.rdbuf();
    return TimeZone::FromTzif(name, bytes.str());
  }

  std::string DocumentOf(const KeyCase& row) const {
    std::string members = R"("RoleARN":"r","BucketARN":"arn:aws:s3:::lake",)";
    AddMember(members, "Prefix", row.prefix);
    AddMember(members, "ErrorOutputPrefix", row.error_prefix);
    AddMember(members, "CustomTimeZone", row.zone);
    if (row.fields != "-") members += row.fields + ',';
    if (row.failure == "format-conversion-failed")
      members +=
          R"("DataFormatConversionConfiguration":{"OutputFormatConfiguration":{"Serializer":{"ParquetSerDe":{}}}},)";
    std::string processors;
    const auto add = [&](const std::string& processor) { processors += (processors.empty() ? "" : ",") + processor; };
    if (row.failure == "decompression-failed") add(Processor("Decompression"));
    if (row.failure == "processing-failed" && row.keys == "-")
      add(Processor("RecordDeAggregation", "SubRecordType", "JSON"));
    if (!lambda_keys_.empty()) add(Processor("Lambda", "LambdaArn", lambda_.Url("/f")));
    if (const std::string keys = KeysOf(row, "query"); !keys.empty())
      add(Processor("MetadataExtraction", "MetadataExtractionQuery", QueryOf(keys)));
    members +=
        fmt::format(R"("ProcessingConfiguration":{{"Enabled":{},"Processors":[{}]}})", !processors.empty(), processors);
    return fmt::format(R"({{"DeliveryStreamName":"d","ExtendedS3DestinationConfiguration":{{{}}}}})", members);
  }

  static std::string RecordOf(const KeyCase& row) {
    if (row.keys == "-") return row.failure == "-" ? R"({"a":1})" : "no json";
    const std::string keys = KeysOf(row, "query");
    return keys.empty() ? "{}" : keys;
  }

  /// Each record comes back as it is, with the case's keys.
  FakeEndpoint::Answer Answer(const FakeEndpoint::Request& request) const {
    const LambdaRequestSeen seen = ReadLambdaRequest(request.body);
    std::vector<std::string> items;
    for (std::size_t i = 0; i < seen.ids.size(); ++i) {
      std::string item = LambdaItem(seen.ids[i], seen.values[i]);
      item.insert(item.size() - 1, fmt::format(R"(,"metadata":{{"partitionKeys":{}}})", lambda_keys_));
      items.push_back(std::move(item));
    }
    return {.body = LambdaAnswerOf(items)};
  }

  std::string lambda_keys_;  // written between calls
  std::atomic<bool> stopping_ = false;
  FakeEndpoint lambda_;  // last: its thread reads the rest
};

bool Matches(const std::string& expected, const std::string& got) {
  if (expected.starts_with("! ")) return got.starts_with("! ") && got.find(expected.substr(2)) != got.npos;
  static const std::regex kSpecial(R"([.*+?^${}()|\[\]\\])");
  std::string pattern = std::regex_replace(expected, kSpecial, R"(\$&)");
  pattern = std::regex_replace(pattern, std::regex("<name>"), R"(d-1-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-<uuid>)");
  pattern = std::regex_replace(pattern, std::regex("<uuid>"), "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
  pattern = std::regex_replace(pattern, std::regex("<random>"), "[0-9a-z]{11}");
  return std::regex_match(got, std::regex(pattern));
}

}  // namespace

TEST_CASE("Object keys: the table of prefixes, times, zones, partition keys and error types", "[delivery]") {
  const std::vector<KeyCase> cases = ReadTable();
  CHECK(cases.size() >= 100);
  KeyTable table;
  for (const KeyCase& row : cases) {
    const std::string got = table.Run(row);
    INFO("line " << row.line << "\nexpected: " << row.expected << "\ngot:      " << got);
    CHECK(Matches(row.expected, got));
  }
}

}  // namespace sluice::delivery
