// Plain columns (numbers, text, times, booleans) of a schema by the names that a configuration has for them: what is
// sorted by, what has a Bloom filter. Pure functions; thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/schema.h"

namespace sluice::delivery {

/// A column's place in a schema.
struct PlainColumn {
  std::size_t column = 0;  // in Schema::columns
  int leaf = 0;            // among the file's leaf columns, as Parquet numbers them
  int node = 0;            // among all columns depth first, as ORC numbers them: 0 is the row itself
};

/// Nothing where there is no such column, or it is nested. An exact name goes before one in another case.
std::optional<PlainColumn> FindPlainColumn(std::span<const Field> columns, std::string_view name,
                                           bool case_insensitive);

/// Those of `names` that can have a Bloom filter: plain, and not boolean.
std::vector<PlainColumn> FindBloomFilterColumns(std::span<const Field> columns, std::span<const std::string> names,
                                                bool case_insensitive);

/// Why FindPlainColumn finds nothing, with the nearest name, or for a nested column with `use`, which says what wants a
/// plain one; empty where it finds something.
std::string PlainColumnProblem(std::span<const Field> columns, std::string_view name, bool case_insensitive,
                               std::string_view use);

/// What wants a plain column, for PlainColumnProblem.
inline constexpr std::string_view kSortUse = "rows are sorted by plain columns";

/// Why a column has no Bloom filter; empty where it has one.
std::string BloomFilterProblem(std::span<const Field> columns, std::string_view name, bool case_insensitive);

}  // namespace sluice::delivery
