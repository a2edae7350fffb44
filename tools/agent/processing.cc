// One class for each option but LOGTOJSON, which has a file of its own.
#include "tools/agent/processing.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <chrono>
#include <utility>

#include "protocol/ascii.h"
#include "tools/agent/json_printer.h"
#include "tools/agent/log_to_json.h"
#include "tools/agent/option_reader.h"
#include "tools/sluice/units.h"

namespace sluice::tools {
namespace {

std::string_view WithoutNewline(std::string_view record) {
  if (record.ends_with('\n')) record.remove_suffix(1);
  return record;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> Split(std::string_view text, std::string_view delimiter) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(delimiter);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) break;
    text.remove_prefix(at + delimiter.size());
  }
  while (!parts.empty() && parts.back().empty()) parts.pop_back();  // as Java's split
  return parts;
}

class SingleLine : public RecordConverter {
 public:
  SingleLine(bool trim, bool escape) : trim_(trim), between_(escape ? "\\n" : "") {}
  std::optional<std::string> Convert(std::string_view record) const override {
    std::string line;
    bool first = true;
    for (const std::string_view part : Split(record, "\n")) {
      if (!first) line.append(between_);
      first = false;
      line.append(trim_ ? Trimmed(part) : part);
    }
    line.push_back('\n');
    return line;
  }

 private:
  const bool trim_;
  const std::string_view between_;
};

class CsvToJson : public RecordConverter {
 public:
  CsvToJson(std::vector<std::string> fields, std::string delimiter, bool pretty)
      : fields_(std::move(fields)), delimiter_(std::move(delimiter)), pretty_(pretty) {}
  std::optional<std::string> Convert(std::string_view record) const override {
    record = WithoutNewline(record);
    if (record.ends_with('\r')) record.remove_suffix(1);
    const auto columns = Split(record, delimiter_);
    boost::json::object object;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (i < columns.size()) {
        object[fields_[i]] = columns[i];
      } else {
        object[fields_[i]] = nullptr;
      }
    }
    return PrintJsonRecord(object, pretty_);
  }

 private:
  const std::vector<std::string> fields_;
  const std::string delimiter_;
  const bool pretty_;
};

class AddMetadata : public RecordConverter {
 public:
  AddMetadata(boost::json::value metadata, bool timestamp, bool pretty)
      : metadata_(std::move(metadata)), timestamp_(timestamp), pretty_(pretty) {}
  std::optional<std::string> Convert(std::string_view record) const override {
    boost::json::object object{{"metadata", metadata_}, {"data", WithoutNewline(record)}};
    if (timestamp_) {
      const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
      object["ts"] = FormatTime(now.time_since_epoch().count());
    }
    return PrintJsonRecord(object, pretty_);
  }

 private:
  const boost::json::value metadata_;
  const bool timestamp_;
  const bool pretty_;
};

/// As in the Kinesis Agent the bracket closes behind the newline.
class AddBrackets : public RecordConverter {
 public:
  std::optional<std::string> Convert(std::string_view record) const override { return fmt::format("{{{}}}", record); }
};

/// The agent's delimiter is a pattern of Java; those that mean one text are taken.
std::string DelimiterOf(OptionReader& options) {
  const std::string text = options.Text("delimiter").value_or(",");
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
    } else {
      ++i;
      const bool letter = protocol::IsLetterOrDigit(text[i]);
      if (letter && text[i] != 't') options.Mistake("delimiter", fmt::format("'{}' is not one text", text));
      out.push_back(text[i] == 't' ? '\t' : text[i]);
    }
  }
  if (out.empty()) options.Mistake("delimiter", "it is empty");
  return out.empty() ? "," : out;
}

bool Pretty(OptionReader& options) { return options.Word("jsonFormat", {"COMPACT", "PRETTYPRINT"}) == "PRETTYPRINT"; }

std::unique_ptr<RecordConverter> NewSingleLine(OptionReader& options) {
  const boost::json::value* const given = options.Find("parseOptions");
  const bool list = given != nullptr && given->is_array();
  std::vector<std::string> words = list ? options.Texts("parseOptions") : std::vector<std::string>();
  if (given != nullptr && !list) words.push_back(options.Text("parseOptions").value_or(""));
  bool trim = true;
  bool escape = false;
  for (const std::string& word : words) {
    if (word == "NO_TRIM") {
      trim = false;
    } else if (word == "ESCAPE_NEW_LINE") {
      escape = true;
    } else {
      options.Mistake("parseOptions", fmt::format("'{}' is neither NO_TRIM nor ESCAPE_NEW_LINE", word));
    }
  }
  return std::make_unique<SingleLine>(trim, escape);
}

std::unique_ptr<RecordConverter> NewCsvToJson(OptionReader& options) {
  auto fields = options.Texts("customFieldNames");
  if (fields.empty()) options.Mistake("customFieldNames", "it is missing or empty");
  auto delimiter = DelimiterOf(options);
  return std::make_unique<CsvToJson>(std::move(fields), std::move(delimiter), Pretty(options));
}

std::unique_ptr<RecordConverter> NewAddMetadata(OptionReader& options) {
  const boost::json::value* const metadata = options.Find("metadata");
  if (metadata == nullptr) options.Mistake("metadata", "it is missing");
  const bool timestamp = options.Flag("timestamp", false);
  return std::make_unique<AddMetadata>(metadata == nullptr ? boost::json::value() : *metadata, timestamp,
                                       Pretty(options));
}

/// Null where the option adds nothing here, or is wrong.
std::unique_ptr<RecordConverter> NewConverter(OptionReader& options, std::vector<std::string>& warnings) {
  const std::vector<std::string> names{"SINGLELINE",  "CSVTOJSON",      "LOGTOJSON",   "ADDMETADATA",
                                       "ADDBRACKETS", "ADDEC2METADATA", "USINGPLUGGIN"};
  if (options.Find("optionName") == nullptr) options.Mistake("optionName", "it is missing");
  const std::string name = options.Word("optionName", names);
  if (!options.error().ok()) return nullptr;
  if (name == "SINGLELINE") return NewSingleLine(options);
  if (name == "CSVTOJSON") return NewCsvToJson(options);
  if (name == "LOGTOJSON") return NewLogToJson(options);
  if (name == "ADDMETADATA") return NewAddMetadata(options);
  if (name == "ADDBRACKETS") return std::make_unique<AddBrackets>();
  if (name == "USINGPLUGGIN") {
    options.Mistake("optionName", "USINGPLUGGIN loads classes of Java, which there are none of here");
  } else {
    warnings.push_back(fmt::format("{}: ADDEC2METADATA adds nothing here; use ADDMETADATA", options.where()));
  }
  return nullptr;
}

}  // namespace

Result<std::shared_ptr<const ProcessingChain>> ProcessingChain::Parse(const boost::json::array& options,
                                                                      std::string_view where,
                                                                      std::vector<std::string>& warnings) {
  auto chain = std::make_shared<ProcessingChain>();
  for (std::size_t i = 0; i < options.size(); ++i) {
    const std::string place = fmt::format("{}.dataProcessingOptions[{}]", where, i);
    const boost::json::object* const object = options[i].if_object();
    if (object == nullptr) return Error(Code::kInvalidArgument, place + ": it is not an object");
    OptionReader reader(*object, place);
    auto converter = NewConverter(reader, warnings);
    if (!reader.error().ok()) return Error(reader.error());
    for (const std::string& key : converter ? reader.Unread() : std::vector<std::string>()) {
      warnings.push_back(fmt::format("{}.{} is not known, and not used", place, key));
    }
    if (converter) chain->converters_.push_back(std::move(converter));
  }
  return chain;
}

std::optional<std::string> ProcessingChain::Convert(std::string record) const {
  for (const auto& converter : converters_) {
    auto converted = converter->Convert(record);
    if (!converted) return std::nullopt;
    record = std::move(*converted);
  }
  return record;
}

}  // namespace sluice::tools
