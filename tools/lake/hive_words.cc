// By way of delivery's own types, which know their names.
#include "tools/lake/hive_words.h"

#include <arrow/type.h>

#include <optional>
#include <utility>

#include "broker/delivery/schema.h"

namespace sluice::tools {

using delivery::ColumnType;
using delivery::TypeKind;

namespace {

std::optional<TypeKind> KindOf(arrow::Type::type id) {
  switch (id) {
    case arrow::Type::BOOL:
      return TypeKind::kBoolean;
    case arrow::Type::INT8:
      return TypeKind::kTinyint;
    case arrow::Type::INT16:
      return TypeKind::kSmallint;
    case arrow::Type::INT32:
      return TypeKind::kInt;
    case arrow::Type::INT64:
      return TypeKind::kBigint;
    case arrow::Type::FLOAT:
      return TypeKind::kFloat;
    case arrow::Type::DOUBLE:
      return TypeKind::kDouble;
    case arrow::Type::DECIMAL128:
      return TypeKind::kDecimal;
    case arrow::Type::STRING:
      return TypeKind::kString;
    case arrow::Type::BINARY:
      return TypeKind::kBinary;
    case arrow::Type::TIMESTAMP:
      return TypeKind::kTimestamp;
    case arrow::Type::DATE32:
      return TypeKind::kDate;
    case arrow::Type::LIST:
      return TypeKind::kArray;
    case arrow::Type::MAP:
      return TypeKind::kMap;
    case arrow::Type::STRUCT:
      return TypeKind::kStruct;
    default:
      return std::nullopt;
  }
}

/// What is inside: a map has its key and its value in one struct.
const arrow::FieldVector& ChildrenOf(const arrow::DataType& type) {
  return type.id() == arrow::Type::MAP ? type.field(0)->type()->fields() : type.fields();
}

std::optional<ColumnType> TypeOf(const arrow::DataType& arrow_type) {
  const std::optional<TypeKind> kind = KindOf(arrow_type.id());
  if (!kind) return std::nullopt;
  ColumnType type{.kind = *kind, .children = {}};
  if (type.kind == TypeKind::kDecimal) {
    const auto& decimal = static_cast<const arrow::Decimal128Type&>(arrow_type);
    type.precision = static_cast<std::uint8_t>(decimal.precision());
    type.scale = static_cast<std::uint8_t>(decimal.scale());
  }
  for (const auto& field : ChildrenOf(arrow_type)) {
    std::optional<ColumnType> child = TypeOf(*field->type());
    if (!child) return std::nullopt;
    type.children.push_back({field->name(), std::move(*child)});
  }
  return type;
}

}  // namespace

std::string HiveWord(const arrow::DataType& type) {
  const std::optional<ColumnType> known = TypeOf(type);
  return known ? delivery::ToHiveType(*known) : type.ToString();
}

}  // namespace sluice::tools
