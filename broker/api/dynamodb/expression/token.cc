// One word after the other.
#include "broker/api/dynamodb/expression/token.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::broker::dynamodb {
namespace {

constexpr std::size_t kNearBytes = 24;  // around the place of an error

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsNamePart(char c) { return IsNameStart(c) || IsDigit(c); }
bool IsHolderPart(char c) { return IsNamePart(c) || c == '-'; }

std::size_t CountWhile(std::string_view text, bool (*fits)(char)) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, fits) - text.begin());
}

/// The word at the front of `rest`, which is not empty and begins with no space.
Token First(std::string_view rest) {
  const char c = rest.front();
  if (IsNameStart(c)) return {Token::Kind::kName, rest.substr(0, CountWhile(rest, IsNamePart))};
  if (IsDigit(c)) return {Token::Kind::kNumber, rest.substr(0, CountWhile(rest, IsDigit))};
  if (c == '#' || c == ':') {
    const std::size_t size = 1 + CountWhile(rest.substr(1), IsHolderPart);
    if (size > 1) {
      return {c == '#' ? Token::Kind::kNameHolder : Token::Kind::kValueHolder, rest.substr(0, size)};
    }
    return {Token::Kind::kEnd, rest.substr(0, 1)};
  }
  if (rest.starts_with("<>") || rest.starts_with("<=") || rest.starts_with(">=")) {
    return {Token::Kind::kSymbol, rest.substr(0, 2)};
  }
  const bool symbol = std::string_view("=<>()[].,+-").contains(c);
  return {symbol ? Token::Kind::kSymbol : Token::Kind::kEnd, rest.substr(0, 1)};
}

}  // namespace

ApiError InvalidExpression(std::string_view parameter, std::string_view why) {
  return Validation(fmt::format("Invalid {}: {}", parameter, why));
}

ApiError SyntaxError(std::string_view parameter, std::string_view expression, const Token& token) {
  const std::string_view shown = token.text.empty() ? std::string_view("<EOF>") : token.text;
  const std::size_t from = token.at > kNearBytes / 2 ? token.at - kNearBytes / 2 : 0;
  return InvalidExpression(parameter, fmt::format("Syntax error; token: \"{}\", near: \"{}\"", shown,
                                                  expression.substr(std::min(from, expression.size()), kNearBytes)));
}

ApiResult<std::vector<Token>> Tokens(std::string_view parameter, std::string_view expression) {
  if (expression.empty()) return std::unexpected(InvalidExpression(parameter, "The expression can not be empty;"));
  if (expression.size() > kExpressionBytesMax) {
    return std::unexpected(InvalidExpression(
        parameter,
        fmt::format("Expression size has exceeded the maximum allowed size; expression size: {}", expression.size())));
  }
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < expression.size();) {
    at += CountWhile(expression.substr(at), IsSpace);
    if (at == expression.size()) break;
    Token token = First(expression.substr(at));
    token.at = at;
    if (token.kind == Token::Kind::kEnd) return std::unexpected(SyntaxError(parameter, expression, token));
    at += token.text.size();
    tokens.push_back(token);
  }
  tokens.push_back({Token::Kind::kEnd, {}, expression.size()});
  return tokens;
}

}  // namespace sluice::broker::dynamodb
