// Rows of Arrow columns as JSON text: one object a row, keys in column order, nulls written out. For people and for
// tests. Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>

namespace arrow {
class Array;
class RecordBatch;
}  // namespace arrow

namespace sluice::tools {

/// Appends one value. Timestamps as ISO-8601 in UTC, decimals as numbers, binary as base64; types we do not write as
/// their Arrow text.
void AppendJsonValue(const arrow::Array& array, std::int64_t row, std::string& out);

/// Appends the row as one JSON object, without a line break.
void AppendJsonRow(const arrow::RecordBatch& batch, std::int64_t row, std::string& out);

}  // namespace sluice::tools
