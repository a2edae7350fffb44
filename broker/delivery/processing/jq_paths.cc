// A scanner for the one form of program, and a walk along the paths.
#include "broker/delivery/processing/jq_paths.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <optional>
#include <unordered_map>

#include "protocol/json_text.h"

namespace sluice::delivery {
namespace {

/// Reads the program from front to back; a step that finds something else gives nothing.
class ProgramScanner {
 public:
  explicit ProgramScanner(std::string_view text) : text_(text) {}

  bool Take(char wanted) {
    SkipSpace();
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool AtEnd() {
    SkipSpace();
    return text_.empty();
  }
  std::optional<std::string> Identifier() {
    SkipSpace();
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    std::size_t length = 0;
    while (length < text_.size() && (is_letter(text_[length]) || (length > 0 && IsDigit(text_[length])))) ++length;
    if (length == 0) return std::nullopt;
    return TakeText(length);
  }
  /// "text", without escapes or interpolation.
  std::optional<std::string> Quoted() {
    SkipSpace();
    if (text_.empty() || text_.front() != '"') return std::nullopt;
    const std::size_t end = text_.find('"', 1);
    if (end == text_.npos || text_.substr(1, end - 1).find('\\') != text_.npos) return std::nullopt;
    std::string inside(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return inside;
  }
  std::optional<std::int64_t> Integer() {
    SkipSpace();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), number);
    if (error != std::errc()) return std::nullopt;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return number;
  }
  bool NextIs(char c) const { return !text_.empty() && text_.front() == c; }

 private:
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }
  void SkipSpace() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size())); }
  std::string TakeText(std::size_t length) {
    std::string taken(text_.substr(0, length));
    text_.remove_prefix(length);
    return taken;
  }

  std::string_view text_;
};

std::optional<JqPath::Step> ScanIndex(ProgramScanner& scanner) {
  std::optional<JqPath::Step> step;
  if (std::optional<std::string> key = scanner.Quoted()) {
    step = std::move(*key);
  } else if (const std::optional<std::int64_t> place = scanner.Integer()) {
    step = *place;
  }
  return scanner.Take(']') ? step : std::nullopt;
}

/// `.key`, `."key"`, `["key"]` or `[0]`; a dot may stand before a bracket.
std::optional<JqPath::Step> ScanStep(ProgramScanner& scanner) {
  if (scanner.Take('[')) return ScanIndex(scanner);
  if (!scanner.Take('.')) return std::nullopt;
  if (scanner.Take('[')) return ScanIndex(scanner);
  std::optional<std::string> key = scanner.NextIs('"') ? scanner.Quoted() : scanner.Identifier();
  return key ? std::optional<JqPath::Step>(std::move(*key)) : std::nullopt;
}

std::optional<JqPath> ScanEntry(ProgramScanner& scanner) {
  std::optional<std::string> name = scanner.Identifier();
  if (!name) name = scanner.Quoted();
  if (!name) return std::nullopt;
  JqPath path{*name, {}};
  if (!scanner.Take(':')) {  // {name} means {name: .name}
    path.steps.emplace_back(*name);
    return path;
  }
  if (scanner.Take('[')) return std::nullopt;  // a list, not a path
  do {
    std::optional<JqPath::Step> step = ScanStep(scanner);
    if (!step) return std::nullopt;
    path.steps.push_back(std::move(*step));
  } while (scanner.NextIs('.') || scanner.NextIs('['));
  return path;
}

/// What jq calls the kind of a value in its messages.
std::string_view KindName(const simdjson::dom::element& element) {
  switch (element.type()) {
    case simdjson::dom::element_type::ARRAY:
      return "array";
    case simdjson::dom::element_type::OBJECT:
      return "object";
    case simdjson::dom::element_type::STRING:
      return "string";
    case simdjson::dom::element_type::BOOL:
      return "boolean";
    case simdjson::dom::element_type::NULL_VALUE:
      return "null";
    default:
      return "number";
  }
}

using Found = std::optional<simdjson::dom::element>;  // nothing: null

/// Of a key that is there twice, the last one counts.
Result<Found> StepInto(const simdjson::dom::element& from, const std::string& key) {
  simdjson::dom::object object;
  if (from.get(object) != simdjson::SUCCESS)
    return Error(Code::kInvalidArgument, fmt::format("Cannot index {} with string \"{}\"", KindName(from), key));
  Found found;
  for (const simdjson::dom::key_value_pair field : object) {
    if (field.key == key) found = field.value;
  }
  return found;
}

Result<Found> StepInto(const simdjson::dom::element& from, std::int64_t place) {
  simdjson::dom::array array;
  if (from.get(array) != simdjson::SUCCESS)
    return Error(Code::kInvalidArgument, fmt::format("Cannot index {} with number", KindName(from)));
  const auto size = static_cast<std::int64_t>(array.size());
  const std::int64_t index = place < 0 ? place + size : place;
  if (index < 0 || index >= size) return Found();
  return Found(array.at(static_cast<std::size_t>(index)).value());
}

Result<Found> Walk(const simdjson::dom::element& root, const JqPath& path) {
  Found found = root;
  for (const JqPath::Step& step : path.steps) {
    if (!found || found->is_null()) return Found();
    Result<Found> next = std::visit([&](const auto& to) { return StepInto(*found, to); }, step);
    if (!next) return next;
    found = std::move(*next);
  }
  return found;
}

void AppendString(std::string_view string, std::string& text) {
  constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t";
  constexpr std::string_view kNames = "\"\\bfnrt";
  text += '"';
  for (const char c : string) {
    const auto byte = static_cast<unsigned char>(c);
    if (const std::size_t place = kEscaped.find(c); place != kEscaped.npos) {
      text += '\\';
      text += kNames[place];
    } else if (byte < 0x20 || byte == 0x7F) {
      fmt::format_to(std::back_inserter(text), "\\u{:04x}", byte);
    } else {
      text += c;
    }
  }
  text += '"';
}

void AppendText(const simdjson::dom::element& element, std::string& text);

/// Of a key that is there twice, the last value stands in the place of the first.
void AppendFields(const simdjson::dom::object& object, std::string& text) {
  std::vector<simdjson::dom::key_value_pair> fields;
  std::unordered_map<std::string_view, std::size_t> places;
  for (const simdjson::dom::key_value_pair field : object) {
    const auto [known, added] = places.try_emplace(field.key, fields.size());
    if (added) {
      fields.push_back(field);
    } else {
      fields[known->second].value = field.value;
    }
  }
  text += '{';
  for (const simdjson::dom::key_value_pair& field : fields) {
    if (text.back() != '{') text += ',';
    AppendString(field.key, text);
    text += ':';
    AppendText(field.value, text);
  }
  text += '}';
}

/// A value as jq prints it on one line.
void AppendText(const simdjson::dom::element& element, std::string& text) {
  simdjson::dom::array array;
  simdjson::dom::object object;
  std::string_view string;
  double number = 0;
  if (element.get(object) == simdjson::SUCCESS) return AppendFields(object, text);
  if (element.get(string) == simdjson::SUCCESS) return AppendString(string, text);
  if (element.is_number() && element.get(number) == simdjson::SUCCESS) {
    text += JqNumberText(number);
  } else if (element.get(array) == simdjson::SUCCESS) {
    text += '[';
    for (const simdjson::dom::element item : array) {
      if (text.back() != '[') text += ',';
      AppendText(item, text);
    }
    text += ']';
  } else {
    text += simdjson::minify(element);
  }
}

}  // namespace

Result<std::vector<JqPath>> CompileJqPaths(std::string_view program) {
  const auto other = [] { return Error(Code::kUnimplemented, "is more than one object of plain paths"); };
  ProgramScanner scanner(program);
  std::vector<JqPath> paths;
  if (!scanner.Take('{')) return other();
  do {
    std::optional<JqPath> path = ScanEntry(scanner);
    if (!path || std::ranges::find(paths, path->name, &JqPath::name) != paths.end()) return other();
    paths.push_back(std::move(*path));
  } while (scanner.Take(','));
  if (!scanner.Take('}') || !scanner.AtEnd()) return other();
  return paths;
}

struct JqPathReader::Parser {
  simdjson::dom::parser parser;
};

JqPathReader::JqPathReader(std::vector<JqPath> paths)
    : paths_(std::move(paths)), parser_(std::make_unique<Parser>()), texts_(paths_.size()) {}
JqPathReader::~JqPathReader() = default;

Status JqPathReader::Read(std::string_view json, std::vector<std::string_view>& values) {
  values.clear();
  simdjson::dom::element root;
  if (const auto error = parser_->parser.parse(json.data(), json.size(), false).get(root); error != simdjson::SUCCESS)
    return Status(Code::kInvalidArgument,
                  fmt::format("the record is no JSON: {}", protocol::JsonErrorText(simdjson::error_message(error))));
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    const Result<Found> found = Walk(root, paths_[i]);
    if (!found) return found.error();
    std::string_view text;
    if (*found && !(*found)->is_null() && (*found)->get(text) != simdjson::SUCCESS) {
      texts_[i].clear();
      AppendText(**found, texts_[i]);
      text = texts_[i];
    }
    values.push_back(text);
  }
  return Status();
}

std::string JqNumberText(double number) {
  constexpr int kSmallest = -4;  // smaller exponents, and those above the digits and these zeros, are written
  constexpr int kTrailingZeros = 14;
  if (std::isnan(number)) return "null";
  char buffer[32];
  const char* const end = std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::scientific).ptr;
  std::string_view text(buffer, end);
  const std::string sign(text.starts_with('-') ? "-" : "");
  text.remove_prefix(sign.size());
  const std::size_t e = text.find('e');
  if (e == text.npos) return sign + std::string(text);
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), end, exponent);
  std::string digits(text.substr(0, e));
  std::erase(digits, '.');
  const int last = static_cast<int>(digits.size()) - 1;
  if (exponent < kSmallest || exponent > last + kTrailingZeros + 1)
    return fmt::format("{}{}e{}{:02}", sign, text.substr(0, e), exponent < 0 ? '-' : '+', std::abs(exponent));
  if (exponent < 0)
    return fmt::format("{}0.{}{}", sign, std::string(static_cast<std::size_t>(-exponent - 1), '0'), digits);
  if (exponent >= last) return sign + digits + std::string(static_cast<std::size_t>(exponent - last), '0');
  return sign + digits.insert(static_cast<std::size_t>(exponent) + 1, ".");
}

}  // namespace sluice::delivery
