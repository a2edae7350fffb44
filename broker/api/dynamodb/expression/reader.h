// Walks over the words of one expression; what the parsers of conditions, updates and projections share. Private to
// this folder. The first error ends the walk: everything answers false from then on.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "broker/api/dynamodb/expression/expression.h"
#include "broker/api/dynamodb/expression/parser.h"
#include "broker/api/dynamodb/expression/token.h"

namespace sluice::broker::dynamodb {

class ExpressionReader {
 public:
  /// `expression` outlives it.
  explicit ExpressionReader(const ExpressionText& expression);

  const Token& now() const { return tokens_[at_]; }
  const Token& next() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  bool AtEnd() const { return now().kind == Token::Kind::kEnd; }
  /// Takes the word where it is this symbol, or this keyword in any case.
  bool TakeSymbol(std::string_view symbol);
  bool TakeKeyword(std::string_view keyword);
  /// Takes a function's name and the bracket behind it.
  bool TakeFunction(std::string_view name);
  /// As TakeSymbol; false and a syntax error where it is none.
  bool NeedSymbol(std::string_view symbol);
  bool NeedKeyword(std::string_view keyword);
  bool NeedEnd();

  bool ReadPath(Path& path);
  bool ReadValue(AttributeValue& value);
  /// A path or a value.
  bool ReadPathOrValue(Operand& operand);

  /// One more operator or function.
  bool CountOperator();
  /// Around what may stand in itself.
  bool Enter();
  void Leave() { --depth_; }

  bool FailSyntax();
  bool Fail(std::string_view why);
  bool Fail(ApiError error);
  bool failed() const { return error_.has_value(); }
  /// After a failure.
  ApiError TakeError() { return std::move(*error_); }

 private:
  static constexpr std::size_t kDepthMax = 64;
  static constexpr std::size_t kOperatorsMax = 300;
  static constexpr std::size_t kPathPartsMax = 32;

  bool ReadPathName(Path& path);
  bool ReadPlace(Path& path);

  const ExpressionText& expression_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t operators_ = 0;
  std::optional<ApiError> error_;
};

}  // namespace sluice::broker::dynamodb
