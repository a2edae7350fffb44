// Shapes that several operations share, and reading what is behind them.
#include "broker/api/dynamodb/arguments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "broker/api/dynamodb/expression/legacy.h"
#include "broker/api/dynamodb/expression/parser.h"
#include "broker/api/dynamodb/item_json.h"

namespace sluice::broker::dynamodb {

namespace api = protocol::aws;

const api::Shape& AnyShape() {
  static const api::Shape shape = api::Shape::Any();
  return shape;
}

const api::Shape& TextShape() {
  static const api::Shape shape = api::Shape::Text();
  return shape;
}

const api::Shape& BooleanShape() {
  static const api::Shape shape = api::Shape::Boolean();
  return shape;
}

const api::Shape& TableShape() {
  static const api::Shape shape = api::Shape::Text().Length(1, 1024);
  return shape;
}

const api::Shape& MapShape() {
  static const api::Shape shape = api::Shape::Map(TextShape(), AnyShape());
  return shape;
}

api::Shape TableInputShape() { return api::Shape::Structure().Member("TableName", TableShape(), api::Required::kYes); }

std::string_view TextOf(api::Value input, std::string_view member) {
  const auto text = input.Find(member);
  return text && text->kind() == api::Kind::kText ? text->text() : std::string_view();
}

bool IsTrue(api::Value input, std::string_view member) {
  const auto value = input.Find(member);
  return value && value->kind() == api::Kind::kBoolean && value->boolean();
}

std::optional<std::int64_t> IntegerOf(api::Value input, std::string_view member) {
  const auto value = input.Find(member);
  if (!value || (value->kind() != api::Kind::kInteger && value->kind() != api::Kind::kReal)) return std::nullopt;
  return api::ToInteger(*value, INT32_MAX);
}

ApiResult<TablePtr> TableOf(const TableStore& store, api::Value input) {
  if (TablePtr table = store.Find(TableNameOf(TextOf(input, "TableName")))) return table;
  return std::unexpected(TableNotFound());
}

ApiResult<Item> ItemOf(api::Value input, std::string_view member) {
  const auto json = input.Find(member);
  if (!json) return Item();
  return ReadItem(*json);
}

ApiResult<void> CheckOneForm(api::Value input) {
  constexpr std::array kOlder = {"Expected",    "AttributeUpdates", "AttributesToGet",    "KeyConditions",
                                 "QueryFilter", "ScanFilter",       "ConditionalOperator"};
  constexpr std::array kExpressions = {"ConditionExpression", "UpdateExpression", "ProjectionExpression",
                                       "KeyConditionExpression", "FilterExpression"};
  const auto present = [&](const auto& names) {
    std::vector<std::string_view> found;
    for (const std::string_view name : names) {
      if (input.Find(name)) found.push_back(name);
    }
    return found;
  };
  const auto older = present(kOlder);
  const auto expressions = present(kExpressions);
  if (older.empty() || expressions.empty()) return {};
  return std::unexpected(Validation(
      fmt::format("Can not use both expression and non-expression parameters in the same request: Non-expression "
                  "parameters: {{{}}} Expression parameters: {{{}}}",
                  fmt::join(older, ", "), fmt::join(expressions, ", "))));
}

ApiResult<std::optional<Condition>> ConditionOf(api::Value input, Placeholders& holders) {
  if (auto good = CheckOneForm(input); !good) return std::unexpected(std::move(good.error()));
  if (!input.Find("ConditionExpression")) return ReadExpected(input);
  auto condition = ParseCondition({"ConditionExpression", TextOf(input, "ConditionExpression"), holders});
  if (!condition) return std::unexpected(std::move(condition.error()));
  return std::move(*condition);
}

ApiResult<std::optional<std::vector<Path>>> ProjectionOf(api::Value input, Placeholders& holders) {
  if (!input.Find("ProjectionExpression")) return ReadAttributesToGet(input);
  auto paths = ParseProjection({"ProjectionExpression", TextOf(input, "ProjectionExpression"), holders});
  if (!paths) return std::unexpected(std::move(paths.error()));
  return std::move(*paths);
}

ApiError ConditionFailedError(api::Value input, const Item* old) {
  ApiError error = ConditionFailed();
  if (old == nullptr || TextOf(input, "ReturnValuesOnConditionCheckFailure") != "ALL_OLD") return error;
  const auto writer = api::Writer::New(api::Encoding::kJson);
  writer->BeginMap();
  writer->Name("__type").Text(error.type);
  writer->Name("message").Text(error.message);
  writer->Name("Item");
  WriteItem(*writer, *old);
  writer->EndMap();
  error.body = writer->Take();
  return error;
}

}  // namespace sluice::broker::dynamodb
