// The metadata of an object as JSON, written by hand (fixed order, so the bytes are the same each time) and read by
// simdjson.
#include <fmt/format.h>
#include <simdjson.h>

#include <limits>

#include "broker/delivery/object_writer.h"
#include "protocol/json_text.h"

namespace sluice::delivery {
namespace {

using simdjson::dom::element;

// Each reader leaves `out` as it is where the key is missing or of another type.
bool ReadUint(const element& object, std::string_view key, std::uint64_t& out) {
  return object[key].get_uint64().get(out) == simdjson::SUCCESS;
}

bool ReadString(const element& object, std::string_view key, std::string& out) {
  std::string_view text;
  if (object[key].get_string().get(text) != simdjson::SUCCESS) return false;
  out = text;
  return true;
}

bool ReadRanges(const element& object, std::vector<SourceRange>& out) {
  simdjson::dom::array ranges;
  if (object["ranges"].get_array().get(ranges) != simdjson::SUCCESS) return false;
  for (element range : ranges) {
    std::uint64_t shard = 0;
    SourceRange read;
    if (!ReadUint(range, "shard", shard) || shard > std::numeric_limits<std::uint32_t>::max()) return false;
    if (!ReadUint(range, "first", read.first.value) || !ReadUint(range, "last", read.last.value)) return false;
    read.shard = ShardIndex(static_cast<std::uint32_t>(shard));
    out.push_back(read);
  }
  return true;
}

bool ReadExtra(const element& object, std::vector<std::pair<std::string, std::string>>& out) {
  simdjson::dom::object extra;
  if (object["extra"].get_object().get(extra) != simdjson::SUCCESS) return false;
  for (const auto& [key, value] : extra) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return false;
    out.emplace_back(key, text);
  }
  return true;
}

}  // namespace

std::string MetadataToJson(const ObjectMetadata& metadata, const ObjectSummary& summary) {
  std::string out = "{\"stream\":";
  protocol::AppendJsonString(out, metadata.stream);
  out += ",\"delivery_stream\":";
  protocol::AppendJsonString(out, metadata.delivery_stream);
  if (!metadata.uid.empty()) {
    out += ",\"uid\":";
    protocol::AppendJsonString(out, metadata.uid);
  }
  out += ",\"ranges\":[";
  for (const SourceRange& range : metadata.ranges) {
    if (out.back() != '[') out += ',';
    out +=
        fmt::format(R"({{"shard":{},"first":{},"last":{}}})", range.shard.value, range.first.value, range.last.value);
  }
  out += fmt::format(R"(],"rows":{},"records":{})", summary.rows, summary.records);
  if (summary.user_records != summary.records) out += fmt::format(R"(,"user_records":{})", summary.user_records);
  out += fmt::format(R"(,"errors":{},"overflow_fields":{},"schema_version":{},"extra":{{)", summary.errors,
                     summary.overflow_fields, metadata.schema_version);
  for (const auto& [key, value] : metadata.extra) {
    if (out.back() != '{') out += ',';
    protocol::AppendJsonString(out, key);
    out += ':';
    protocol::AppendJsonString(out, value);
  }
  return out + "}}";
}

Result<ObjectFacts> MetadataFromJson(std::string_view json) {
  simdjson::dom::parser parser;
  element object;
  ObjectFacts facts;
  std::uint64_t version = 0;
  bool good = parser.parse(json.data(), json.size()).get(object) == simdjson::SUCCESS &&
              ReadString(object, "stream", facts.metadata.stream) &&
              ReadString(object, "delivery_stream", facts.metadata.delivery_stream) &&
              ReadRanges(object, facts.metadata.ranges) && ReadUint(object, "rows", facts.summary.rows) &&
              ReadUint(object, "records", facts.summary.records) && ReadUint(object, "errors", facts.summary.errors) &&
              ReadUint(object, "overflow_fields", facts.summary.overflow_fields) &&
              ReadUint(object, "schema_version", version) && version <= std::numeric_limits<std::uint32_t>::max() &&
              ReadExtra(object, facts.metadata.extra);
  if (good && object["uid"].error() == simdjson::SUCCESS) good = ReadString(object, "uid", facts.metadata.uid);
  facts.summary.user_records = facts.summary.records;
  if (good && object["user_records"].error() == simdjson::SUCCESS) {
    good = ReadUint(object, "user_records", facts.summary.user_records);
  }
  if (!good) return Error(Code::kCorruption, "the object's metadata is not what Sluice writes");
  facts.metadata.schema_version = static_cast<std::uint32_t>(version);
  return facts;
}

}  // namespace sluice::delivery
