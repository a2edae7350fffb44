// ParseUpdate and ParseProjection.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "broker/api/dynamodb/expression/reader.h"

namespace sluice::broker::dynamodb {
namespace {

using Kind = UpdateAction::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 4> kSections = {
    {{"SET", Kind::kSet}, {"REMOVE", Kind::kRemove}, {"ADD", Kind::kAdd}, {"DELETE", Kind::kDelete}}};

/// Whether one is the beginning of the other, or both are the same.
bool Overlap(const Path& a, const Path& b) {
  return std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
}

class UpdateParser {
 public:
  explicit UpdateParser(const ExpressionText& expression) : reader_(expression) {}

  ApiResult<Update> Parse() {
    while (!reader_.failed() && !reader_.AtEnd() && ReadSection()) {
    }
    if (reader_.NeedEnd() && CheckOverlaps()) return std::move(update_);
    return std::unexpected(reader_.TakeError());
  }

 private:
  bool ReadSection() {
    for (const auto& [word, kind] : kSections) {
      if (!reader_.TakeKeyword(word)) continue;
      if (std::ranges::find(update_, kind, &UpdateAction::kind) != update_.end()) {
        return reader_.Fail(fmt::format("The \"{}\" section can only be used once in an update expression;", word));
      }
      do {
        if (!reader_.CountOperator() || !ReadAction(kind)) return false;
      } while (reader_.TakeSymbol(","));
      return !reader_.failed();
    }
    return reader_.FailSyntax();
  }

  bool ReadAction(Kind kind) {
    UpdateAction action{.kind = kind};
    if (!reader_.ReadPath(action.path)) return false;
    if (kind == Kind::kSet && !(reader_.NeedSymbol("=") && ReadSum(action.set))) return false;
    if ((kind == Kind::kAdd || kind == Kind::kDelete) && !ReadAmount(action)) return false;
    update_.push_back(std::move(action));
    return true;
  }

  /// What is added or deleted: a number or a set, and a set.
  bool ReadAmount(UpdateAction& action) {
    if (!reader_.ReadValue(action.value)) return false;
    const Type type = action.value.type;
    if (IsSet(type) || (action.kind == Kind::kAdd && type == Type::kNumber)) return true;
    return reader_.Fail(fmt::format("Incorrect operand type for operator or function; operator: {}, operand type: {}",
                                    action.kind == Kind::kAdd ? "ADD" : "DELETE", TypeName(type)));
  }

  bool ReadSum(SetValue& value) {
    if (!ReadSetValue(value)) return false;
    const bool sum = reader_.TakeSymbol("+");
    if (!sum && !reader_.TakeSymbol("-")) return !reader_.failed();
    SetValue first = std::exchange(value, SetValue{.kind = sum ? SetValue::Kind::kSum : SetValue::Kind::kDifference});
    value.children.push_back(std::move(first));
    return reader_.CountOperator() && ReadSetValue(value.children.emplace_back());
  }

  bool ReadSetValue(SetValue& value) {
    if (!reader_.Enter()) return false;
    bool good = false;
    if (reader_.TakeFunction("if_not_exists")) {
      value.kind = SetValue::Kind::kIfNotExists;
      good = reader_.CountOperator() && reader_.ReadPath(value.operand.path) && reader_.NeedSymbol(",") &&
             ReadSetValue(value.children.emplace_back()) && reader_.NeedSymbol(")");
    } else if (reader_.TakeFunction("list_append")) {
      value.kind = SetValue::Kind::kListAppend;
      value.children.resize(2);
      good = reader_.CountOperator() && ReadSetValue(value.children[0]) && reader_.NeedSymbol(",") &&
             ReadSetValue(value.children[1]) && reader_.NeedSymbol(")");
    } else if (reader_.TakeSymbol("(")) {
      good = ReadSum(value) && reader_.NeedSymbol(")");
    } else {
      good = reader_.ReadPathOrValue(value.operand);
    }
    reader_.Leave();
    return good;
  }

  bool CheckOverlaps() {
    for (std::size_t i = 0; i < update_.size(); ++i) {
      for (std::size_t j = i + 1; j < update_.size(); ++j) {
        if (!Overlap(update_[i].path, update_[j].path)) continue;
        return reader_.Fail(
            fmt::format("Two document paths overlap with each other; must remove or rewrite one of these paths; path "
                        "one: [{}], path two: [{}]",
                        ToText(update_[i].path), ToText(update_[j].path)));
      }
    }
    return true;
  }

  ExpressionReader reader_;
  Update update_;
};

}  // namespace

ApiResult<Update> ParseUpdate(const ExpressionText& expression) { return UpdateParser(expression).Parse(); }

ApiResult<std::vector<Path>> ParseProjection(const ExpressionText& expression) {
  ExpressionReader reader(expression);
  std::vector<Path> paths;
  do {
    if (!reader.CountOperator() || !reader.ReadPath(paths.emplace_back())) break;
  } while (reader.TakeSymbol(","));
  if (reader.NeedEnd()) return paths;
  return std::unexpected(reader.TakeError());
}

}  // namespace sluice::broker::dynamodb
