// Schema: the columns of a delivery stream's rows; how they are named (Hive types, as Glue names them), inferred from
// records where nobody declared them, and widened as the records change.
//
// A schema is a value with a version. The delivery stage stores it (SchemaToJson) before the first object that uses it,
// so that the rows of a range are a pure function of range and schema version. Thread-safe: values and pure functions
// only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"

namespace sluice::delivery {

enum class TypeKind : std::uint8_t {
  kBoolean,
  kTinyint,
  kSmallint,
  kInt,
  kBigint,
  kFloat,
  kDouble,
  kDecimal,  // precision 1-38, scale 0-precision
  kString,   // also char(n), varchar(n)
  kBinary,   // base64 text in JSON
  kTimestamp,
  kDate,
  kArray,   // one child: "element"
  kMap,     // two children: "key" (a primitive type), "value"
  kStruct,  // one child or more
};

struct Field;

struct ColumnType {
  TypeKind kind = TypeKind::kString;
  std::uint8_t precision = 0;  // kDecimal only
  std::uint8_t scale = 0;      // kDecimal only
  std::vector<Field> children;
};

struct Field {
  std::string name;
  ColumnType type;
};

bool operator==(const ColumnType& a, const ColumnType& b);
bool operator==(const Field& a, const Field& b);

/// The column that takes what does not fit its pinned type: a string that holds a JSON object.
inline constexpr std::string_view kOverflowColumn = "_overflow";
/// Types and JSON values nest no deeper.
inline constexpr std::size_t kDepthMax = 64;
/// Columns of a schema, inferred or declared.
inline constexpr std::size_t kColumnsMax = 4096;

struct Schema {
  std::uint32_t version = 1;
  std::vector<Field> columns;  // without `_overflow`
  /// True: fields that do not fit and keys without a column go to `_overflow`. False: a field that does not fit makes
  /// its record an error and keys without a column are dropped, as Firehose does.
  bool overflow = false;
  friend bool operator==(const Schema&, const Schema&) = default;
};

/// "struct<a:int,b:array<string>>", any case, spaces allowed. kInvalidArgument names the place that is wrong.
Result<ColumnType> ParseHiveType(std::string_view text);
/// The type in Hive's spelling; ParseHiveType reads it back.
std::string ToHiveType(const ColumnType& type);

/// From `[{"Name": "a", "Type": "int"}, ..]`.
Result<Schema> SchemaFromColumns(std::string_view json);
/// From a table as `aws glue get-table` prints it (`{"Table": {..}}` or its inside): StorageDescriptor.Columns, then
/// PartitionKeys.
Result<Schema> SchemaFromGlueTable(std::string_view json);

/// The pinned form, and back. A newer form than ours is refused.
std::string SchemaToJson(const Schema& schema);
Result<Schema> SchemaFromJson(std::string_view json);

struct InferenceRules {
  bool add_columns = true;       // a new key becomes a new nullable column
  bool widen_numbers = true;     // int -> bigint -> double
  bool widen_to_string = false;  // anything -> string
  bool infer_timestamps = true;  // ISO-8601 text with zone or 'T' becomes timestamp in new columns
  std::size_t columns_max = 1000;
};

/// The schema of the first records: nullable columns in the order in which their keys appear, `overflow` set,
/// version 1. Records that do not parse are passed over. kInvalidArgument where no record holds a JSON object with a
/// key.
Result<Schema> InferSchema(std::span<const std::string_view> records, const InferenceRules& rules);

/// `pinned`, widened by what the rules allow so that `records` fit; the version is one up where anything changed, and
/// the schema is returned as it is where nothing did. Columns are never removed, reordered or narrowed.
Schema WidenSchema(const Schema& pinned, std::span<const std::string_view> records, const InferenceRules& rules);

}  // namespace sluice::delivery
