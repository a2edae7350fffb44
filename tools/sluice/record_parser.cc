// The input formats of `sluice put`.
#include "tools/sluice/record_parser.h"

#include <fmt/format.h>
#include <re2/re2.h>
#include <simdjson.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <utility>

#include "tools/sluice/csv.h"
#include "tools/sluice/log_format.h"

namespace sluice::tools {

namespace {

class RawParser : public RecordParser {
 public:
  Result<std::optional<std::string>> Parse(std::string_view line) override {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) return std::nullopt;
    return std::string(line);
  }
};

/// A number as JSON writes it; "007" and "1e5x" stay text.
bool IsJsonNumber(std::string_view text) {
  static const RE2 kNumber(R"(-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?)");
  return !text.empty() && text.size() <= 40 && RE2::FullMatch(re2::StringPiece(text.data(), text.size()), kNumber);
}

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // which spreadsheets write in front of UTF-8

/// One JSON object per row, keys from the header row. Unquoted empty fields and NA are null, unquoted numbers are
/// numbers.
class CsvParser : public RecordParser {
 public:
  std::size_t LogicalLineEnd(std::string_view text) const override { return CsvRowEnd(text); }
  void StartFile() override { header_.clear(); }

  Result<std::optional<std::string>> Parse(std::string_view line) override {
    if (header_.empty() && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    if (line.empty() || line == "\r") return std::nullopt;
    auto fields = ParseCsvRow(line);
    if (!fields) return Error(fields.error());
    if (header_.empty()) {
      for (const CsvField& field : *fields) header_.push_back(boost::json::serialize(boost::json::value(field.text)));
      return std::nullopt;
    }
    if (fields->size() != header_.size()) {
      return Error(Code::kInvalidArgument,
                   fmt::format("{} fields where the header has {}", fields->size(), header_.size()));
    }
    return ToJson(*fields);
  }

 private:
  std::string ToJson(const std::vector<CsvField>& fields) const {
    std::string json = "{";
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) json.push_back(',');
      json.append(header_[i]).push_back(':');
      const CsvField& field = fields[i];
      if (!field.quoted && (field.text.empty() || field.text == "NA")) {
        json.append("null");
      } else if (!field.quoted && IsJsonNumber(field.text)) {
        json.append(field.text);
      } else {
        json.append(boost::json::serialize(boost::json::value(field.text)));
      }
    }
    json.push_back('}');
    return json;
  }

  std::vector<std::string> header_;  // JSON strings, quotes included
};

class LogParser : public RecordParser {
 public:
  explicit LogParser(const LogFormat& format)
      : format_(format), pattern_(std::string(format.pattern)), groups_(format.fields.size()) {
    for (std::size_t i = 0; i < groups_.size(); ++i) args_.emplace_back(&groups_[i]);
    for (const RE2::Arg& arg : args_) arg_pointers_.push_back(&arg);
  }

  Result<std::optional<std::string>> Parse(std::string_view line) override {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) return std::nullopt;
    if (!RE2::FullMatchN(re2::StringPiece(line.data(), line.size()), pattern_, arg_pointers_.data(),
                         static_cast<int>(arg_pointers_.size()))) {
      return Error(Code::kInvalidArgument, fmt::format("the line is not in the format {}", format_.name));
    }
    boost::json::object object;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      const bool absent = groups_[i].empty() || groups_[i] == "-";
      object[format_.fields[i]] = absent ? boost::json::value(nullptr) : boost::json::value(groups_[i]);
    }
    return boost::json::serialize(object);
  }

 private:
  const LogFormat& format_;
  const RE2 pattern_;
  std::vector<std::string> groups_;
  std::vector<RE2::Arg> args_;
  std::vector<const RE2::Arg*> arg_pointers_;
};

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

}  // namespace

std::vector<std::string> RecordParserNames() {
  std::vector<std::string> names{"raw", "csv"};
  for (const LogFormat& format : LogFormats()) names.emplace_back(format.name);
  return names;
}

Result<std::unique_ptr<RecordParser>> NewRecordParser(std::string_view format) {
  const std::string name = Upper(format);
  if (name == "RAW") return std::make_unique<RawParser>();
  if (name == "CSV") return std::make_unique<CsvParser>();
  for (const LogFormat& candidate : LogFormats()) {
    if (candidate.name == name) return std::make_unique<LogParser>(candidate);
  }
  return Error(Code::kInvalidArgument,
               fmt::format("'{}' is not an input format; known are {}", format, fmt::join(RecordParserNames(), ", ")));
}

struct KeyExtractor::Impl {
  std::string path;
  std::vector<std::string> steps;
  simdjson::dom::parser parser;
};

KeyExtractor::KeyExtractor(std::string_view path) : impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  while (true) {
    const std::size_t dot = path.find('.');
    impl_->steps.emplace_back(path.substr(0, dot));
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
}

KeyExtractor::~KeyExtractor() = default;

/// Of JSON with numbers beyond 64 bits, which the parser of the others does not take. As it stands in the text.
std::optional<std::string> KeyExtractor::ExtractText(std::string_view json) const {
  const simdjson::padded_string padded(json);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::value value;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return std::nullopt;
  simdjson::error_code error = document.get_value().get(value);
  for (const std::string& step : impl_->steps) {
    if (error == simdjson::SUCCESS) error = value.find_field_unordered(step).get(value);
  }
  std::string_view text;
  if (error != simdjson::SUCCESS) return std::nullopt;
  if (value.get_string().get(text) == simdjson::SUCCESS) return std::string(text);
  if (simdjson::to_json_string(value).get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text.substr(0, text.find_last_not_of(" \t\r\n") + 1));
}

Result<std::string> KeyExtractor::Extract(std::string_view json) {
  simdjson::dom::element element;
  if (impl_->parser.parse(json.data(), json.size()).get(element) != simdjson::SUCCESS) {
    boost::system::error_code error;
    boost::json::parse(json, error);
    if (error) return Error(Code::kInvalidArgument, "the record is not JSON, so it has no key field");
    if (auto text = ExtractText(json)) return std::move(*text);
    return Error(Code::kInvalidArgument, fmt::format("the record has no field '{}'", impl_->path));
  }
  for (const std::string& step : impl_->steps) {
    if (element.at_key(step).get(element) != simdjson::SUCCESS) {
      return Error(Code::kInvalidArgument, fmt::format("the record has no field '{}'", impl_->path));
    }
  }
  std::string_view text;
  if (element.get(text) == simdjson::SUCCESS) return std::string(text);
  return std::string(simdjson::minify(element));
}

}  // namespace sluice::tools
