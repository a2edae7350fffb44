// ParseCondition: OR above AND above NOT above comparisons.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "broker/api/dynamodb/expression/reader.h"

namespace sluice::broker::dynamodb {
namespace {

using Kind = Condition::Kind;

constexpr std::size_t kInOperandsMax = 100;

struct Function {
  std::string_view name;
  Kind kind;
  bool of_path;  // the first operand is a path
  std::size_t operands;
};
constexpr std::array kFunctions = {
    Function{"attribute_exists", Kind::kExists, true, 1}, Function{"attribute_not_exists", Kind::kNotExists, true, 1},
    Function{"attribute_type", Kind::kHasType, true, 2},  Function{"begins_with", Kind::kBeginsWith, false, 2},
    Function{"contains", Kind::kContains, false, 2},
};

constexpr std::array<std::pair<std::string_view, Kind>, 6> kComparators = {{{"=", Kind::kEqual},
                                                                            {"<>", Kind::kNotEqual},
                                                                            {"<", Kind::kLess},
                                                                            {"<=", Kind::kLessEqual},
                                                                            {">", Kind::kGreater},
                                                                            {">=", Kind::kGreaterEqual}}};

class ConditionParser {
 public:
  explicit ConditionParser(const ExpressionText& expression) : reader_(expression) {}

  ApiResult<Condition> Parse() {
    Condition condition;
    if (ReadOr(condition) && reader_.NeedEnd()) return condition;
    return std::unexpected(reader_.TakeError());
  }

 private:
  bool ReadOr(Condition& condition) {
    return ReadChain(condition, "OR", Kind::kOr, [this](Condition& part) {
      return ReadChain(part, "AND", Kind::kAnd, [this](Condition& inner) { return ReadNot(inner); });
    });
  }

  /// Parts with a word between them; one part alone stands for itself.
  bool ReadChain(Condition& condition, std::string_view word, Kind kind, const auto& read_part) {
    if (!read_part(condition)) return false;
    bool chain = false;
    while (reader_.TakeKeyword(word)) {
      if (!reader_.CountOperator()) return false;
      if (!chain) {
        Condition first = std::exchange(condition, Condition{.kind = kind});
        condition.children.push_back(std::move(first));
      }
      chain = true;
      if (!read_part(condition.children.emplace_back())) return false;
    }
    return !reader_.failed();
  }

  bool ReadNot(Condition& condition) {
    if (!reader_.Enter()) return false;
    bool good = false;
    if (reader_.TakeKeyword("NOT")) {
      condition.kind = Kind::kNot;
      good = reader_.CountOperator() && ReadNot(condition.children.emplace_back());
    } else if (reader_.TakeSymbol("(")) {
      good = ReadOr(condition) && reader_.NeedSymbol(")");
    } else {
      good = ReadFunctionOrComparison(condition);
    }
    reader_.Leave();
    return good;
  }

  bool ReadFunctionOrComparison(Condition& condition) {
    for (const Function& function : kFunctions) {
      if (reader_.TakeFunction(function.name)) return ReadFunction(function, condition);
    }
    return ReadComparison(condition);
  }

  bool ReadFunction(const Function& function, Condition& condition) {
    condition.kind = function.kind;
    if (!reader_.CountOperator()) return false;
    for (std::size_t i = 0; i < function.operands; ++i) {
      if (i > 0 && !reader_.NeedSymbol(",")) return false;
      if (!ReadOperand(condition.operands.emplace_back())) return false;
    }
    if (!reader_.NeedSymbol(")")) return false;
    if (function.of_path && condition.operands[0].kind != Operand::Kind::kPath) {
      return reader_.Fail(
          fmt::format("Operator or function requires a document path; operator or function: {}", function.name));
    }
    return function.kind != Kind::kHasType || CheckTypeName(condition.operands[1]);
  }

  bool CheckTypeName(const Operand& operand) {
    constexpr std::array<std::string_view, 10> kNames = {"B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M"};
    if (operand.kind != Operand::Kind::kValue || operand.value.type != Type::kString) {
      return reader_.Fail("Incorrect operand type for operator or function; operator or function: attribute_type");
    }
    if (std::ranges::find(kNames, operand.value.text) != kNames.end()) return true;
    return reader_.Fail(
        fmt::format("Invalid attribute type name found; type: {}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}",
                    operand.value.text));
  }

  bool ReadComparison(Condition& condition) {
    if (!ReadOperand(condition.operands.emplace_back()) || !reader_.CountOperator()) return false;
    if (reader_.TakeKeyword("BETWEEN")) {
      condition.kind = Kind::kBetween;
      return ReadOrdered(condition, "BETWEEN") && reader_.NeedKeyword("AND") && ReadOrdered(condition, "BETWEEN");
    }
    if (reader_.TakeKeyword("IN")) return ReadIn(condition);
    for (const auto& [symbol, kind] : kComparators) {
      if (!reader_.TakeSymbol(symbol)) continue;
      condition.kind = kind;
      if (kind != Kind::kEqual && kind != Kind::kNotEqual) return ReadOrdered(condition, symbol);
      return ReadOperand(condition.operands.emplace_back());
    }
    return reader_.FailSyntax();
  }

  /// An operand that can be less or greater.
  bool ReadOrdered(Condition& condition, std::string_view symbol) {
    Operand& operand = condition.operands.emplace_back();
    if (!ReadOperand(operand)) return false;
    if (operand.kind != Operand::Kind::kValue || IsOrdered(operand.value.type)) return true;
    return reader_.Fail(
        fmt::format("Incorrect operand type for operator or function; operator or function: {}, operand type: {}",
                    symbol, TypeName(operand.value.type)));
  }

  bool ReadIn(Condition& condition) {
    condition.kind = Kind::kIn;
    if (!reader_.NeedSymbol("(")) return false;
    do {
      if (condition.operands.size() > kInOperandsMax) return reader_.Fail("The IN operator has more than 100 operands");
      if (!ReadOperand(condition.operands.emplace_back())) return false;
    } while (reader_.TakeSymbol(","));
    return reader_.NeedSymbol(")");
  }

  bool ReadOperand(Operand& operand) {
    if (!reader_.TakeFunction("size")) return reader_.ReadPathOrValue(operand);
    operand.kind = Operand::Kind::kSize;
    return reader_.CountOperator() && reader_.ReadPath(operand.path) && reader_.NeedSymbol(")");
  }

  ExpressionReader reader_;
};

}  // namespace

ApiResult<Condition> ParseCondition(const ExpressionText& expression) { return ConditionParser(expression).Parse(); }

}  // namespace sluice::broker::dynamodb
