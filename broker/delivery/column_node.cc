// The tree follows the type; paths are escaped once, here.
#include "broker/delivery/column_node.h"

#include <fmt/format.h>

#include <utility>

#include "protocol/json_text.h"

namespace sluice::delivery {

Result<ColumnNode> MakeColumnNode(Column& column, const Field& field, const std::string& path,
                                  const ConverterOptions& options) {
  ColumnNode node;
  node.column = &column;
  node.type = &field.type;
  std::string name;
  protocol::AppendJsonString(name, field.name);
  node.path = path.empty() ? "" : path + ".";
  node.path.append(name, 1, name.size() - 2);
  if (field.type.kind == TypeKind::kStruct) {
    Result<KeyTable> keys = KeyTable::New(field.type.children, options);
    if (!keys) return Error(keys.error().WithContext(fmt::format("column '{}'", node.path)));
    node.keys = *std::move(keys);
  }
  for (std::size_t i = 0; i < field.type.children.size(); ++i) {
    Result<ColumnNode> child = MakeColumnNode(column.children()[i], field.type.children[i], node.path, options);
    if (!child) return child;
    node.leaves += child->leaves;
    node.children.push_back(*std::move(child));
  }
  return node;
}

std::string_view KeyText(const char* key) {
  const char* end = key;
  while (*end != '"') end += *end == '\\' ? 2 : 1;
  return {key, static_cast<std::size_t>(end - key)};
}

}  // namespace sluice::delivery
