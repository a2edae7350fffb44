// Finds the calls in a template, and where in the text each stands.
#include "tools/generate/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <optional>
#include <utility>

#include "tools/generate/functions.h"

namespace sluice::tools {

struct Template::Piece {
  std::string text;   // stands as it is, in front of the call
  TemplateCall call;  // none: the text ends the template
};

Template::Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// Where the call that begins at `begin` (behind its "{{") ends: at the "}}" outside of strings and brackets.
std::optional<std::size_t> CallEnd(std::string_view text, std::size_t begin) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t at = begin; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') ++at;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (depth == 0 && text.substr(at, 2) == "}}") {
      return at;
    } else if (c == ')' || c == ']' || c == '}') {
      depth = std::max(0, depth - 1);
    }
  }
  return std::nullopt;
}

class Parser {
 public:
  Parser(std::string_view text, std::string_view name) : text_(text), name_(name) {}

  Result<TemplateCall> ParseCall(std::size_t begin, std::size_t end) const {
    const std::string_view call = text_.substr(begin, end - begin);
    const std::size_t open = call.find('(');
    const std::string_view function = Trimmed(call.substr(0, open));
    const std::size_t at = begin + std::min(call.find_first_not_of(kBlanks), call.size());
    if (function.empty()) return Mistake(at, "a call names no function");
    boost::json::array arguments;
    if (open != std::string_view::npos) {
      const std::size_t close = call.rfind(')');
      if (close == std::string_view::npos || close < open || !Trimmed(call.substr(close + 1)).empty()) {
        return Mistake(begin + open, fmt::format("the arguments of '{}' do not end with a ')'", function));
      }
      boost::system::error_code error;
      const std::string list = fmt::format("[{}]", call.substr(open + 1, close - open - 1));
      boost::json::value parsed = boost::json::parse(list, error);
      if (error) {
        return Mistake(begin + open + 1,
                       fmt::format("the arguments of '{}' are not JSON: {}", function, error.message()));
      }
      arguments = std::move(parsed.as_array());
    }
    auto bound = BindTemplateFunction(function, arguments);
    if (!bound) return Mistake(at, bound.error().message());
    return bound;
  }

  std::unexpected<Status> Mistake(std::size_t at, std::string_view what) const {
    const std::string_view before = text_.substr(0, at);
    const auto line = std::ranges::count(before, '\n') + 1;
    const std::size_t column = at - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
    return Error(Code::kInvalidArgument, fmt::format("{}:{}:{}: {}", name_, line, column, what));
  }

 private:
  const std::string_view text_;
  const std::string_view name_;
};

}  // namespace

Result<Template> Template::Parse(std::string_view text, std::string_view name) {
  const Parser parser(text, name);
  Template parsed;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t open = text.find("{{", at);
    // Of three braces in a row the first is the JSON object's.
    const std::size_t begin = open == std::string_view::npos ? open : text.find_first_not_of('{', open);
    if (begin == std::string_view::npos) {
      parsed.pieces_.push_back({std::string(text.substr(at)), nullptr});
      break;
    }
    const auto end = CallEnd(text, begin);
    if (!end) return parser.Mistake(begin - 2, "'{{' is never closed with '}}'");
    auto call = parser.ParseCall(begin, *end);
    if (!call) return std::unexpected(call.error());
    parsed.pieces_.push_back({std::string(text.substr(at, begin - 2 - at)), std::move(*call)});
    at = *end + 2;
  }
  return parsed;
}

void Template::Render(RenderContext& context, std::string& out) const {
  out.clear();
  for (const Piece& piece : pieces_) {
    out.append(piece.text);
    if (piece.call) piece.call(context, out);
  }
}

}  // namespace sluice::tools
