// ColumnNode: a column with what the JSON for it needs. The row converter walks the tree of them beside the JSON.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/column.h"
#include "broker/delivery/key_table.h"
#include "broker/delivery/row_converter.h"

namespace sluice::delivery {

struct ColumnNode {
  Column* column = nullptr;
  const ColumnType* type = nullptr;
  std::string path;  // for messages and `_overflow`: "a.b", escaped as in a JSON string
  KeyTable keys;     // of a struct
  std::vector<ColumnNode> children;
  std::uint64_t leaves = 1;
  // Of its last value: its key as it stands in the JSON, null where the value went to `_overflow`, and its token.
  const char* key = nullptr;
  std::string_view token;
};

/// The tree of a column, which it points into, as it does into `field`. kInvalidArgument where two fields of a struct
/// take the same key.
Result<ColumnNode> MakeColumnNode(Column& column, const Field& field, const std::string& path,
                                  const ConverterOptions& options);

/// The key that starts at `key`, behind its opening quote, with its escapes.
std::string_view KeyText(const char* key);

}  // namespace sluice::delivery
