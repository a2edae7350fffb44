// Looking up columns, and counting what stands in front of them.
#include "broker/delivery/plain_columns.h"

#include <fmt/format.h>

#include "protocol/suggest.h"

namespace sluice::delivery {
namespace {

bool IsNested(const ColumnType& type) { return !type.children.empty(); }

int NodesOf(const ColumnType& type) {
  int nodes = 1;
  for (const Field& child : type.children) nodes += NodesOf(child.type);
  return nodes;
}

int LeavesOf(const ColumnType& type) {
  int leaves = type.children.empty() ? 1 : 0;
  for (const Field& child : type.children) leaves += LeavesOf(child.type);
  return leaves;
}

std::string Folded(std::string_view text) {
  std::string folded(text);
  for (char& c : folded) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return folded;
}

std::optional<std::size_t> FindColumn(std::span<const Field> columns, std::string_view name, bool case_insensitive) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return i;
  }
  for (std::size_t i = 0; case_insensitive && i < columns.size(); ++i) {
    if (Folded(columns[i].name) == Folded(name)) return i;
  }
  return std::nullopt;
}

}  // namespace

std::optional<PlainColumn> FindPlainColumn(std::span<const Field> columns, std::string_view name,
                                           bool case_insensitive) {
  const std::optional<std::size_t> place = FindColumn(columns, name, case_insensitive);
  if (!place || IsNested(columns[*place].type)) return std::nullopt;
  PlainColumn found{.column = *place, .leaf = 0, .node = 1};
  for (const Field& before : columns.first(*place)) {
    found.leaf += LeavesOf(before.type);
    found.node += NodesOf(before.type);
  }
  return found;
}

std::vector<PlainColumn> FindBloomFilterColumns(std::span<const Field> columns, std::span<const std::string> names,
                                                bool case_insensitive) {
  std::vector<PlainColumn> found;
  for (const std::string& name : names) {
    const auto column = FindPlainColumn(columns, name, case_insensitive);
    if (column && columns[column->column].type.kind != TypeKind::kBoolean) found.push_back(*column);
  }
  return found;
}

std::string PlainColumnProblem(std::span<const Field> columns, std::string_view name, bool case_insensitive,
                               std::string_view use) {
  const std::optional<std::size_t> place = FindColumn(columns, name, case_insensitive);
  if (!place) {
    std::vector<std::string> names;
    for (const Field& column : columns) names.push_back(column.name);
    return fmt::format("there is no column '{}'{}", name, protocol::DidYouMean(name, names));
  }
  const ColumnType& type = columns[*place].type;
  if (!IsNested(type)) return "";
  return fmt::format("'{}' is of type {}; {}", name, ToHiveType(type), use);
}

std::string BloomFilterProblem(std::span<const Field> columns, std::string_view name, bool case_insensitive) {
  const auto column = FindPlainColumn(columns, name, case_insensitive);
  if (!column) return PlainColumnProblem(columns, name, case_insensitive, "plain columns have Bloom filters");
  if (columns[column->column].type.kind != TypeKind::kBoolean) return "";
  return fmt::format("'{}' is boolean; a Bloom filter of two values is of no use", name);
}

}  // namespace sluice::delivery
