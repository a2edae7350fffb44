// A line that does not match is left out, as the Kinesis Agent does; fields stay as they stand in the line.
#include "tools/agent/log_to_json.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <utility>

#include "tools/agent/json_printer.h"
#include "tools/sluice/log_format.h"

namespace sluice::tools {
namespace {

class LogToJson : public RecordConverter {
 public:
  LogToJson(std::unique_ptr<const RE2> pattern, std::vector<std::string> fields, bool pretty)
      : pattern_(std::move(pattern)), fields_(std::move(fields)), pretty_(pretty) {}

  std::optional<std::string> Convert(std::string_view record) const override {
    if (record.ends_with('\n')) record.remove_suffix(1);
    if (record.ends_with('\r')) record.remove_suffix(1);
    std::vector<re2::StringPiece> groups(fields_.size() + 1);
    const re2::StringPiece text(record.data(), record.size());
    if (!pattern_->Match(text, 0, record.size(), RE2::ANCHOR_BOTH, groups.data(), static_cast<int>(groups.size()))) {
      return std::nullopt;
    }
    boost::json::object object;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const re2::StringPiece& group = groups[i + 1];
      if (group.data() == nullptr) {
        object[fields_[i]] = nullptr;
      } else {
        object[fields_[i]] = std::string_view(group.data(), group.size());
      }
    }
    return PrintJsonRecord(object, pretty_);
  }

 private:
  const std::unique_ptr<const RE2> pattern_;
  const std::vector<std::string> fields_;
  const bool pretty_;
};

}  // namespace

std::string PatternForRe2(std::string_view pattern) {
  std::string out;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) {
      out.append(pattern.substr(at++, 2));
      continue;
    }
    const bool named = pattern.substr(at).starts_with("(?<") && at + 3 < pattern.size() && pattern[at + 3] != '=' &&
                       pattern[at + 3] != '!';
    out.append(named ? "(?P" : pattern.substr(at, 1));
    if (named) ++at;  // the '?'
  }
  return out;
}

std::unique_ptr<RecordConverter> NewLogToJson(OptionReader& options) {
  std::vector<std::string> names;
  for (const LogFormat& format : LogFormats()) names.emplace_back(format.name);
  if (options.Find("logFormat") == nullptr) options.Mistake("logFormat", "it is missing");
  const std::string name = options.Word("logFormat", names);
  const LogFormat& format = *std::ranges::find(LogFormats(), name, &LogFormat::name);
  const auto own_pattern = options.Text("matchPattern");
  std::vector<std::string> fields = options.Texts("customFieldNames");
  const bool pretty = options.Word("jsonFormat", {"COMPACT", "PRETTYPRINT"}) == "PRETTYPRINT";
  if (fields.empty()) fields.assign(format.fields.begin(), format.fields.end());
  RE2::Options quiet;
  quiet.set_log_errors(false);
  auto pattern =
      std::make_unique<const RE2>(own_pattern ? PatternForRe2(*own_pattern) : std::string(format.pattern), quiet);
  if (!pattern->ok()) {
    options.Mistake("matchPattern", fmt::format("it is no pattern of RE2, which has neither looking ahead nor back: {}",
                                                pattern->error()));
  } else if (static_cast<std::size_t>(pattern->NumberOfCapturingGroups()) != fields.size()) {
    options.Mistake(
        own_pattern ? "matchPattern" : "customFieldNames",
        fmt::format("the pattern has {} groups for {} fields", pattern->NumberOfCapturingGroups(), fields.size()));
  }
  return std::make_unique<LogToJson>(std::move(pattern), std::move(fields), pretty);
}

}  // namespace sluice::tools
