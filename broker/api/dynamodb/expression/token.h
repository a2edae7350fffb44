// The words of an expression. Values only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "broker/api/dynamodb/errors.h"

namespace sluice::broker::dynamodb {

struct Token {
  enum class Kind : std::uint8_t {
    kEnd,
    kName,         // an attribute, a function, or a word such as AND
    kNameHolder,   // "#name"
    kValueHolder,  // ":value"
    kNumber,       // a place in a list
    kSymbol        // one of = <> < <= > >= ( ) [ ] . , + -
  };
  Kind kind = Kind::kEnd;
  std::string_view text{};
  std::size_t at = 0;  // in the expression
};

inline constexpr std::size_t kExpressionBytesMax = 4096;

/// The words of `expression`, which outlives them, and an end behind them. `parameter` is the request's name for it,
/// for messages: "ConditionExpression".
ApiResult<std::vector<Token>> Tokens(std::string_view parameter, std::string_view expression);

/// "Invalid PARAMETER: Syntax error; token: .., near: ..".
ApiError SyntaxError(std::string_view parameter, std::string_view expression, const Token& token);
/// "Invalid PARAMETER: WHY".
ApiError InvalidExpression(std::string_view parameter, std::string_view why);

}  // namespace sluice::broker::dynamodb
