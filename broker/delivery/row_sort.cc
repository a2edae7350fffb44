// Sorting by the first eight bytes of the first key, as a number that sorts alike; the rest is looked at where these
// are equal.
#include "broker/delivery/row_sort.h"

#include <arrow/api.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "broker/delivery/plain_columns.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

using std::strong_ordering;

constexpr std::uint64_t kSignBit = 1ull << 63;

std::uint64_t PrefixOf(std::int64_t value) { return static_cast<std::uint64_t>(value) ^ kSignBit; }

std::uint64_t PrefixOf(double value) {
  if (std::isnan(value)) return std::numeric_limits<std::uint64_t>::max();
  const auto bits = std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value);
  return (bits & kSignBit) != 0 ? ~bits : bits | kSignBit;
}

std::uint64_t PrefixOf(std::string_view bytes) {
  std::array<unsigned char, 8> head{};
  std::memcpy(head.data(), bytes.data(), std::min(bytes.size(), head.size()));
  std::uint64_t prefix = 0;
  for (const unsigned char byte : head) prefix = prefix << 8 | byte;
  return prefix;
}

// One key over the rows of a batch.
class KeyValues {
 public:
  KeyValues(const arrow::Array& values, bool descending) : values_(values), descending_(descending) {}

  /// A number that sorts as the values do, but for those that begin alike.
  std::uint64_t Prefix(std::int64_t row) const {
    const std::uint64_t prefix = values_.IsNull(row) ? 0 : ValuePrefix(row);
    return descending_ ? ~prefix : prefix;
  }

  strong_ordering Compare(std::int64_t a, std::int64_t b) const {
    const strong_ordering order = CompareUp(a, b);
    return descending_ ? 0 <=> order : order;
  }

 private:
  template <typename T>
  const T& As() const {
    return static_cast<const T&>(values_);
  }

  std::uint64_t ValuePrefix(std::int64_t row) const {
    switch (values_.type_id()) {
      case arrow::Type::BOOL:
        return As<arrow::BooleanArray>().Value(row) ? 1 : 0;
      case arrow::Type::INT8:
        return PrefixOf(std::int64_t{As<arrow::Int8Array>().Value(row)});
      case arrow::Type::INT16:
        return PrefixOf(std::int64_t{As<arrow::Int16Array>().Value(row)});
      case arrow::Type::INT32:
        return PrefixOf(std::int64_t{As<arrow::Int32Array>().Value(row)});
      case arrow::Type::DATE32:
        return PrefixOf(std::int64_t{As<arrow::Date32Array>().Value(row)});
      case arrow::Type::INT64:
        return PrefixOf(As<arrow::Int64Array>().Value(row));
      case arrow::Type::TIMESTAMP:
        return PrefixOf(As<arrow::TimestampArray>().Value(row));
      case arrow::Type::FLOAT:
        return PrefixOf(double{As<arrow::FloatArray>().Value(row)});
      case arrow::Type::DOUBLE:
        return PrefixOf(As<arrow::DoubleArray>().Value(row));
      case arrow::Type::DECIMAL128:
        return PrefixOf(Decimal(row).high_bits());
      default:
        return PrefixOf(As<arrow::BinaryArray>().GetView(row));  // of strings too
    }
  }

  arrow::Decimal128 Decimal(std::int64_t row) const {
    return arrow::Decimal128(As<arrow::Decimal128Array>().GetValue(row));
  }

  strong_ordering CompareUp(std::int64_t a, std::int64_t b) const {
    const bool a_is_null = values_.IsNull(a);
    const bool b_is_null = values_.IsNull(b);
    if (a_is_null || b_is_null) return b_is_null <=> a_is_null;
    if (const strong_ordering order = ValuePrefix(a) <=> ValuePrefix(b); order != 0) return order;
    switch (values_.type_id()) {
      case arrow::Type::DECIMAL128:
        return Decimal(a).low_bits() <=> Decimal(b).low_bits();
      case arrow::Type::STRING:
      case arrow::Type::BINARY:
        return As<arrow::BinaryArray>().GetView(a) <=> As<arrow::BinaryArray>().GetView(b);
      default:
        return strong_ordering::equal;  // the prefix is the value
    }
  }

  const arrow::Array& values_;
  const bool descending_;
};

}  // namespace

std::vector<SortColumn> FindSortColumns(const Schema& schema, std::span<const SortKey> keys, bool case_insensitive) {
  std::vector<SortColumn> found;
  for (const SortKey& key : keys) {
    const std::optional<PlainColumn> place = FindPlainColumn(schema.columns, key.column, case_insensitive);
    if (place) found.push_back({place->column, place->leaf, key.descending});
  }
  return found;
}

std::vector<std::uint32_t> SortedRows(const arrow::RecordBatch& batch, std::span<const SortColumn> by) {
  SLUICE_CHECK(!by.empty() && batch.num_rows() <= std::numeric_limits<std::uint32_t>::max());
  std::vector<KeyValues> keys;
  for (const SortColumn& key : by) keys.emplace_back(*batch.column(static_cast<int>(key.column)), key.descending);
  struct Row {
    std::uint64_t prefix;
    std::uint32_t number;
  };
  static_assert(sizeof(Row) + sizeof(std::uint32_t) <= kSortBytesPerRow);
  std::vector<Row> rows(static_cast<std::size_t>(batch.num_rows()));
  for (std::uint32_t i = 0; i < rows.size(); ++i) rows[i] = {keys.front().Prefix(i), i};
  std::ranges::sort(rows, [&](const Row& a, const Row& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    for (const KeyValues& key : keys) {
      if (const strong_ordering order = key.Compare(a.number, b.number); order != 0) return order < 0;
    }
    return a.number < b.number;
  });
  std::vector<std::uint32_t> order;
  order.reserve(rows.size());
  for (const Row& row : rows) order.push_back(row.number);
  return order;
}

}  // namespace sluice::delivery
