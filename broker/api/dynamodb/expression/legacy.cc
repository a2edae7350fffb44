// One attribute after the other; each has its comparison and its values.
#include "broker/api/dynamodb/expression/legacy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "broker/api/dynamodb/item_json.h"

namespace sluice::broker::dynamodb {
namespace {

namespace api = protocol::aws;
using Kind = Condition::Kind;

struct Comparison {
  std::string_view name;
  Kind kind;
  std::size_t least;  // values
  std::size_t most;
  bool negated = false;
};
constexpr std::size_t kValuesMax = 100;
constexpr std::array kComparisons = {
    Comparison{"EQ", Kind::kEqual, 1, 1},
    Comparison{"NE", Kind::kNotEqual, 1, 1},
    Comparison{"LT", Kind::kLess, 1, 1},
    Comparison{"LE", Kind::kLessEqual, 1, 1},
    Comparison{"GT", Kind::kGreater, 1, 1},
    Comparison{"GE", Kind::kGreaterEqual, 1, 1},
    Comparison{"BETWEEN", Kind::kBetween, 2, 2},
    Comparison{"IN", Kind::kIn, 1, kValuesMax},
    Comparison{"NOT_NULL", Kind::kExists, 0, 0},
    Comparison{"NULL", Kind::kNotExists, 0, 0},
    Comparison{"CONTAINS", Kind::kContains, 1, 1},
    Comparison{"NOT_CONTAINS", Kind::kContains, 1, 1, true},
    Comparison{"BEGINS_WITH", Kind::kBeginsWith, 1, 1},
};

std::string_view TextOf(api::Value map, std::string_view member, std::string_view otherwise) {
  const auto text = map.Find(member);
  return text && text->kind() == api::Kind::kText ? text->text() : otherwise;
}

std::unexpected<ApiError> NotAMap() { return std::unexpected(Serialization("Start of structure or map is expected")); }

Condition OnAttribute(Kind kind, std::string_view attribute) {
  Condition condition{.kind = kind};
  condition.operands.push_back({.kind = Operand::Kind::kPath, .path = {std::string(attribute)}});
  return condition;
}

void AddValue(Condition& condition, AttributeValue value) {
  condition.operands.push_back({.kind = Operand::Kind::kValue, .value = std::move(value)});
}

ApiResult<void> AddValues(Condition& condition, api::Value list) {
  for (const auto [unnamed, element] : list.children()) {
    auto value = ReadAttributeValue(element);
    if (!value) return std::unexpected(std::move(value.error()));
    AddValue(condition, std::move(*value));
  }
  return {};
}

/// {"ComparisonOperator": .., "AttributeValueList": [..]}
ApiResult<Condition> ReadComparison(std::string_view attribute, api::Value json) {
  const std::string_view name = TextOf(json, "ComparisonOperator", "");
  const auto* const comparison = std::ranges::find(kComparisons, name, &Comparison::name);
  if (comparison == kComparisons.end()) {
    return std::unexpected(
        InvalidParameter(fmt::format("Unknown ComparisonOperator '{}' for Attribute: {}", name, attribute)));
  }
  Condition condition = OnAttribute(comparison->kind, attribute);
  const auto values = json.Find("AttributeValueList");
  if (values && values->kind() != api::Kind::kList) return NotAMap();
  const std::size_t count = values ? values->size() : 0;
  if (count < comparison->least || count > comparison->most) {
    return std::unexpected(
        InvalidParameter(fmt::format("Invalid number of argument(s) for the {} ComparisonOperator", comparison->name)));
  }
  if (values) {
    if (auto added = AddValues(condition, *values); !added) return std::unexpected(std::move(added.error()));
  }
  if (!comparison->negated) return condition;
  Condition negation{.kind = Kind::kNot};
  negation.children.push_back(std::move(condition));
  return negation;
}

/// {"Exists": false}, {"Value": ..}, or a comparison.
ApiResult<Condition> ReadExpectation(std::string_view attribute, api::Value json) {
  if (json.Find("ComparisonOperator")) return ReadComparison(attribute, json);
  const auto exists = json.Find("Exists");
  const auto value = json.Find("Value");
  if (exists && exists->kind() != api::Kind::kBoolean) return std::unexpected(Serialization("Unexpected field type"));
  if (exists && !exists->boolean()) {
    if (!value) return OnAttribute(Kind::kNotExists, attribute);
    return std::unexpected(
        InvalidParameter(fmt::format("Value cannot be used when Exists is false for Attribute: {}", attribute)));
  }
  if (!value) {
    return std::unexpected(InvalidParameter(fmt::format("Value must be provided when Exists is {} for Attribute: {}",
                                                        exists ? "true" : "null", attribute)));
  }
  auto read = ReadAttributeValue(*value);
  if (!read) return std::unexpected(std::move(read.error()));
  Condition condition = OnAttribute(Kind::kEqual, attribute);
  AddValue(condition, std::move(*read));
  return condition;
}

using ReadOne = ApiResult<Condition> (*)(std::string_view, api::Value);

ApiResult<std::optional<Condition>> ReadAll(api::Value input, std::string_view member, ReadOne read_one) {
  const auto all = input.Find(member);
  if (!all) return std::nullopt;
  if (all->kind() != api::Kind::kMap) return NotAMap();
  const bool any = TextOf(input, "ConditionalOperator", "AND") == "OR";
  Condition condition{.kind = any ? Kind::kOr : Kind::kAnd};
  for (const auto [attribute, json] : all->children()) {
    if (json.kind() != api::Kind::kMap) return NotAMap();
    auto one = read_one(attribute, json);
    if (!one) return std::unexpected(std::move(one.error()));
    condition.children.push_back(std::move(*one));
  }
  if (condition.children.empty()) return std::nullopt;
  return condition;
}

ApiResult<UpdateAction> ReadAttributeUpdate(std::string_view attribute, api::Value json) {
  const std::string_view name = TextOf(json, "Action", "PUT");
  const auto value = json.Find("Value");
  UpdateAction action{.path = {std::string(attribute)}};
  if (name == "DELETE" && !value) {
    action.kind = UpdateAction::Kind::kRemove;
    return action;
  }
  if (!value) {
    return std::unexpected(InvalidParameter("Only DELETE action is allowed when no attribute value is specified"));
  }
  auto read = ReadAttributeValue(*value);
  if (!read) return std::unexpected(std::move(read.error()));
  if (name == "PUT") {
    action.set.operand.value = std::move(*read);
    return action;
  }
  action.value = std::move(*read);
  const Type type = action.value.type;
  if (name == "ADD" && (type == Type::kNumber || IsSet(type) || type == Type::kList)) {
    action.kind = type == Type::kList ? UpdateAction::Kind::kAppend : UpdateAction::Kind::kAdd;
    return action;
  }
  action.kind = UpdateAction::Kind::kDelete;
  if (name == "DELETE" && IsSet(type)) return action;
  return std::unexpected(
      InvalidParameter(fmt::format("Action {} is not supported for the type {}", name, TypeName(type))));
}

}  // namespace

ApiResult<std::optional<Condition>> ReadExpected(api::Value input) {
  return ReadAll(input, "Expected", ReadExpectation);
}

ApiResult<std::optional<Condition>> ReadConditions(api::Value input, std::string_view member) {
  return ReadAll(input, member, ReadComparison);
}

ApiResult<std::optional<Update>> ReadAttributeUpdates(api::Value input) {
  const auto all = input.Find("AttributeUpdates");
  if (!all) return std::nullopt;
  if (all->kind() != api::Kind::kMap) return NotAMap();
  Update update;
  for (const auto [attribute, json] : all->children()) {
    if (json.kind() != api::Kind::kMap) return NotAMap();
    auto action = ReadAttributeUpdate(attribute, json);
    if (!action) return std::unexpected(std::move(action.error()));
    update.push_back(std::move(*action));
  }
  return update;
}

ApiResult<std::optional<std::vector<Path>>> ReadAttributesToGet(api::Value input) {
  const auto all = input.Find("AttributesToGet");
  if (!all) return std::nullopt;
  if (all->kind() != api::Kind::kList) return std::unexpected(Serialization("Expected list or null"));
  std::vector<Path> paths;
  for (const auto [unnamed, name] : all->children()) {
    if (name.kind() != api::Kind::kText) return std::unexpected(Serialization("Unexpected field type"));
    paths.push_back({std::string(name.text())});
  }
  return paths;
}

}  // namespace sluice::broker::dynamodb
