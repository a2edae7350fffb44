// Objects come as they would stand in the lake, and are read from a directory that is removed at once.
#include "tools/sluice/commands/delivery_sample.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "broker/delivery/error_record.h"
#include "broker/delivery/trial_delivery.h"
#include "protocol/base64.h"
#include "protocol/json_writer.h"
#include "tools/lake/object_reader.h"
#include "tools/sluice/input.h"
#include "tools/sluice/units.h"

namespace sluice::tools {
namespace {

namespace json = boost::json;

/// A directory of our own until the end of the scope.
class ScratchDir {
 public:
  ScratchDir() {
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "sluice-sample-XXXXXX").string();
    if (!error && ::mkdtemp(name.data()) != nullptr) path_ = std::move(name);
  }
  ~ScratchDir() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;

  /// Empty: it could not be made.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A row as a value; text where it is no JSON, as records may be anything.
json::value RowValue(std::string_view row) {
  boost::system::error_code error;
  json::value value = json::parse(row, error);
  return error ? json::value(delivery::Utf8Text(row)) : value;
}

Status ReadObject(const std::string& path, json::object& object) {
  Result<std::unique_ptr<ObjectReader>> reader = ObjectReader::Open(path);
  if (!reader) return reader.error();
  json::array rows;
  Status status = (*reader)->ForEachRow([&rows](std::string_view row) {
    rows.push_back(RowValue(row));
    return true;
  });
  object["format"] = (*reader)->format();
  object["rows"] = std::move(rows);
  return status;
}

/// nullopt of a blank line.
Result<std::optional<std::string>> RecordOf(RecordParser& lines, std::string_view line, bool base64) {
  Result<std::optional<std::string>> text = lines.Parse(line);
  if (!text || !*text || !base64) return text;
  Result<std::string> record = protocol::DecodeBase64(**text);
  return record ? Result<std::optional<std::string>>(std::move(*record)) : Error(record.error());
}

}  // namespace

Result<std::string> SampleRequest(const std::string& delivery_file, const SampleArguments& sample) {
  const std::unique_ptr<RecordParser> lines = *NewRecordParser("raw");  // the same records as `put` would make
  protocol::JsonWriter request;
  request.BeginObject().Key("file").String(delivery_file).Key("records").BeginList();
  std::size_t records = 0, bytes = 0;
  bool all = true;
  Status wrong;
  const auto take = [&](const InputLine& line) {
    Result<std::optional<std::string>> record = RecordOf(*lines, line.text, sample.base64);
    if (!record) wrong = record.error().WithContext(fmt::format("{}:{}", line.file, line.number));
    if (!record) return false;
    if (!*record) return true;
    all = records < delivery::kTrialRecordsMax && bytes + (*record)->size() <= delivery::kTrialBytesMax;
    if (!all) return false;
    request.Base64(**record);
    ++records;
    bytes += (*record)->size();
    return true;
  };
  if (Status status = ForEachLine({sample.file}, *lines, take); !status.ok()) return Error(std::move(status));
  if (!wrong.ok()) return Error(std::move(wrong));
  if (records == 0)
    return Error(Code::kInvalidArgument, fmt::format("{} has no record that can be tried", sample.file));
  if (!all) {
    fmt::print(stderr, "note: of the sample the first {} ({}) are tried; the bounds are {} records and {}\n",
               FormatCounted(records, "record"), FormatSize(bytes), delivery::kTrialRecordsMax,
               FormatSize(delivery::kTrialBytesMax));
  }
  request.EndList().EndObject();
  return request.text();
}

Status ReadSampleObjects(json::object& sample) {
  const ScratchDir scratch;
  if (scratch.path().empty()) return Status(Code::kIoError, "cannot make a directory for temporary files; see TMPDIR");
  for (json::value& value : sample.at("objects").as_array()) {
    json::object& object = value.as_object();
    const std::string_view key = object.at("key").as_string();
    const Result<std::string> content = protocol::DecodeBase64(object.at("content").as_string());
    if (!content) return content.error();
    // The name matters to formats that have no mark.
    const std::string path = scratch.path() + '/' + std::string(key.substr(key.rfind('/') + 1));
    std::ofstream(path, std::ios::binary) << *content;
    object["bytes"] = content->size();
    object.erase("content");
    if (Status status = ReadObject(path, object); !status.ok()) return status;
  }
  return Status();
}

void PrintSample(const json::object& sample) {
  const json::object& totals = sample.at("totals").as_object();
  const auto number = [&](std::string_view key) { return totals.at(key).to_number<std::uint64_t>(); };
  fmt::print("\nOf {} in the sample: {}, {}, {} filtered.\n", FormatCounted(number("records"), "record"),
             FormatCounted(number("rows"), "row"), FormatCounted(number("errors"), "error"),
             FormatCount(number("filtered")));
  if (const json::value* columns = sample.if_contains("columns")) {
    fmt::print("\nColumns:\n");
    for (const json::value& column : columns->as_array()) {
      fmt::print("  {:<32}  {}\n", std::string_view(column.at("name").as_string()),
                 std::string_view(column.at("type").as_string()));
    }
  }
  for (const json::value& value : sample.at("objects").as_array()) {
    const json::object& object = value.as_object();
    const json::array& rows = object.at("rows").as_array();
    fmt::print("\n{}\n  {} of {}, {}:\n", std::string_view(object.at("key").as_string()),
               std::string_view(object.at("format").as_string()),
               FormatCounted(rows.size(), object.at("error").as_bool() ? "error record" : "row"),
               FormatSize(object.at("bytes").to_number<std::uint64_t>()));
    for (const json::value& row : rows) {
      fmt::print("  {}\n", row.is_string() ? std::string(row.as_string()) : json::serialize(row));
    }
  }
}

}  // namespace sluice::tools
