// RowSort: the order of a batch's rows by some of its columns.
//
// Nulls are less than every value, text and bytes are compared byte by byte, numbers by value (NaN is the greatest).
// Rows that compare equal stay in the order in which they came, so the order is a pure function of the rows.
//
// Threads: values and pure functions; a RowSort belongs to one thread. Memory: kSortBytesPerRow for each row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/schema.h"

namespace arrow {
class RecordBatch;
}  // namespace arrow

namespace sluice::delivery {

/// "SortBy": a column and its direction.
struct SortKey {
  std::string column;
  bool descending = false;
  friend bool operator==(const SortKey&, const SortKey&) = default;
};

/// A sort key's place in a schema.
struct SortColumn {
  std::size_t column = 0;  // in Schema::columns
  int leaf = 0;            // among the file's leaf columns
  bool descending = false;
};

/// Memory that SortedRows takes for a row.
inline constexpr std::size_t kSortBytesPerRow = 24;

/// The keys that `schema` has as columns that can be compared. A key that it lacks, or that is nested, is left out:
/// with an inferred schema it may come later.
std::vector<SortColumn> FindSortColumns(const Schema& schema, std::span<const SortKey> keys, bool case_insensitive);

/// The rows of `batch` in sorted order.
std::vector<std::uint32_t> SortedRows(const arrow::RecordBatch& batch, std::span<const SortColumn> by);

}  // namespace sluice::delivery
