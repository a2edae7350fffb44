// Words, paths and values.
#include "broker/api/dynamodb/expression/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace sluice::broker::dynamodb {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool SameWord(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, Lower, Lower); }

}  // namespace

ExpressionReader::ExpressionReader(const ExpressionText& expression) : expression_(expression) {
  auto tokens = Tokens(expression.parameter, expression.text);
  if (tokens) {
    tokens_ = std::move(*tokens);
  } else {
    tokens_.push_back({});
    error_ = std::move(tokens.error());
  }
}

bool ExpressionReader::TakeSymbol(std::string_view symbol) {
  if (failed() || now().kind != Token::Kind::kSymbol || now().text != symbol) return false;
  ++at_;
  return true;
}

bool ExpressionReader::TakeKeyword(std::string_view keyword) {
  if (failed() || now().kind != Token::Kind::kName || !SameWord(now().text, keyword)) return false;
  ++at_;
  return true;
}

bool ExpressionReader::TakeFunction(std::string_view name) {
  if (failed() || now().kind != Token::Kind::kName || now().text != name || next().text != "(") return false;
  at_ += 2;
  return true;
}

bool ExpressionReader::NeedSymbol(std::string_view symbol) { return TakeSymbol(symbol) || FailSyntax(); }
bool ExpressionReader::NeedKeyword(std::string_view keyword) { return TakeKeyword(keyword) || FailSyntax(); }
bool ExpressionReader::NeedEnd() { return !failed() && (AtEnd() || FailSyntax()); }

bool ExpressionReader::ReadPath(Path& path) {
  if (failed() || !ReadPathName(path)) return false;
  while (path.size() <= kPathPartsMax) {
    if (TakeSymbol(".")) {
      if (!ReadPathName(path)) return false;
    } else if (TakeSymbol("[")) {
      if (!ReadPlace(path)) return false;
    } else {
      return true;
    }
  }
  return Fail("The document path has too many nesting elements; nesting levels have exceeded supported limits");
}

bool ExpressionReader::ReadPathName(Path& path) {
  if (now().kind == Token::Kind::kName) {
    path.emplace_back(std::string(now().text));
  } else if (now().kind == Token::Kind::kNameHolder) {
    const std::string* const name = expression_.holders.UseName(now().text);
    if (name == nullptr) {
      return Fail(fmt::format(
          "An expression attribute name used in the document path is not defined; attribute name: {}", now().text));
    }
    path.emplace_back(*name);
  } else {
    return FailSyntax();
  }
  ++at_;
  return true;
}

bool ExpressionReader::ReadPlace(Path& path) {
  std::uint32_t place = 0;
  if (now().kind != Token::Kind::kNumber) return FailSyntax();
  const char* const end = now().text.data() + now().text.size();
  if (std::from_chars(now().text.data(), end, place).ec != std::errc()) {
    return Fail(fmt::format("List index is not within the allowable range; index: [{}]", now().text));
  }
  path.emplace_back(place);
  ++at_;
  return NeedSymbol("]");
}

bool ExpressionReader::ReadValue(AttributeValue& value) {
  if (failed() || now().kind != Token::Kind::kValueHolder) return FailSyntax();
  const AttributeValue* const held = expression_.holders.UseValue(now().text);
  if (held == nullptr) {
    return Fail(fmt::format("An expression attribute value used in expression is not defined; attribute value: {}",
                            now().text));
  }
  value = *held;
  ++at_;
  return true;
}

bool ExpressionReader::ReadPathOrValue(Operand& operand) {
  const bool is_value = now().kind == Token::Kind::kValueHolder;
  operand.kind = is_value ? Operand::Kind::kValue : Operand::Kind::kPath;
  return is_value ? ReadValue(operand.value) : ReadPath(operand.path);
}

bool ExpressionReader::CountOperator() {
  if (++operators_ <= kOperatorsMax) return true;
  return Fail(fmt::format(
      "The expression contains too many operators and functions; the maximum number of operators allowed is {}",
      kOperatorsMax));
}

bool ExpressionReader::Enter() {
  if (++depth_ <= kDepthMax) return true;
  return Fail("The expression is nested too deep");
}

bool ExpressionReader::FailSyntax() { return Fail(SyntaxError(expression_.parameter, expression_.text, now())); }

bool ExpressionReader::Fail(std::string_view why) { return Fail(InvalidExpression(expression_.parameter, why)); }

bool ExpressionReader::Fail(ApiError error) {
  if (!error_) error_ = std::move(error);
  return false;
}

std::string ToText(const Path& path) {
  std::string text;
  for (const auto& part : path) {
    if (const auto* const place = std::get_if<std::uint32_t>(&part)) {
      text += fmt::format("[{}]", *place);
    } else {
      text += fmt::format("{}{}", text.empty() ? "" : ".", std::get<std::string>(part));
    }
  }
  return text;
}

}  // namespace sluice::broker::dynamodb
