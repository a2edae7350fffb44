// Column: the values of one column while a batch of rows is built, and their hand-over to Arrow without a copy.
//
// Every Append* adds one value; a row that turns out bad is taken back with Truncate. Nested columns keep their
// children in step: a struct's children are as long as the struct, a list's child is as long as its last offset. Memory
// is kept from batch to batch, so a steady stream does not allocate.
//
// Threads: one at a time. This header sees Arrow's forward declarations only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "broker/delivery/schema.h"
#include "protocol/check.h"

namespace arrow {
class DataType;
struct ArrayData;
}  // namespace arrow

namespace sluice::delivery {

/// Bytes that grow without being zeroed.
class ByteBuffer {
 public:
  std::size_t size() const { return size_; }
  const char* data() const { return data_.get(); }
  char* data() { return data_.get(); }

  void Append(const void* bytes, std::size_t count) {
    if (count == 0) return;  // an empty buffer has no memory, which memcpy may not be given
    Reserve(count);
    std::memcpy(data_.get() + size_, bytes, count);
    size_ += count;
  }
  template <typename T>
  void AppendValue(T value) {
    Append(&value, sizeof(value));
  }
  void Resize(std::size_t size) {
    SLUICE_DCHECK(size <= size_);
    size_ = size;
  }
  void Reserve(std::size_t more) {
    if (capacity_ - size_ < more) Grow(more);
  }

 private:
  void Grow(std::size_t more);

  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

class Column {
 public:
  explicit Column(const ColumnType& type);

  TypeKind kind() const { return kind_; }
  unsigned precision() const { return precision_; }
  unsigned scale() const { return scale_; }
  std::uint64_t size() const { return size_; }
  std::vector<Column>& children() { return children_; }

  void AppendNull();
  void AppendBoolean(bool value) { AppendFixed(static_cast<std::uint8_t>(value)); }
  /// `T` is as wide as the column: std::int8_t for tinyint, std::int32_t for date, __int128 for decimal.
  template <typename T>
  void AppendFixed(T value) {
    SLUICE_DCHECK(sizeof(T) == width_);
    values_.AppendValue(value);
    Added(true);
  }
  /// string, binary.
  void AppendBytes(std::string_view bytes) {
    bytes_.Append(bytes.data(), bytes.size());
    values_.AppendValue(static_cast<std::int32_t>(bytes_.size()));
    Added(true);
  }
  /// array, map: the child (both children of a map) has grown by the elements of this value.
  void AppendList() {
    values_.AppendValue(static_cast<std::int32_t>(children_.front().size()));
    Added(true);
  }
  /// struct: every child has one value more.
  void AppendStruct() { Added(true); }

  /// Takes back all values past `size`, in the children too.
  void Truncate(std::uint64_t size);
  /// map, before AppendList: of its entries from `first` on that have the same key, the last one stays.
  void KeepLastOfEachKey(std::uint64_t first);

  /// Memory of the values, children included.
  std::uint64_t bytes() const;
  /// True where one more value of `more` bytes could overflow a 32-bit offset.
  bool NearlyFull(std::size_t more) const { return bytes_.size() + more > (1u << 30); }

  /// The values as Arrow data over this column's own memory: valid until the next change.
  std::shared_ptr<arrow::ArrayData> View();
  const std::shared_ptr<arrow::DataType>& arrow_type() const { return arrow_type_; }

 private:
  void Added(bool valid) {
    valid_.AppendValue(static_cast<std::uint8_t>(valid));
    ++size_;
  }
  std::string_view Bytes(std::uint64_t place) const;
  std::int32_t Offset(std::uint64_t place) const;
  void Keep(std::uint64_t first, const std::vector<bool>& kept);
  void KeepElements(std::uint64_t first, const std::vector<bool>& kept);
  void PackBits(const ByteBuffer& from, std::vector<std::uint8_t>& to) const;

  TypeKind kind_;
  unsigned precision_;
  unsigned scale_;
  std::size_t width_ = 0;  // of a value in values_; for variable types, of an offset
  std::shared_ptr<arrow::DataType> arrow_type_;
  std::vector<Column> children_;
  std::uint64_t size_ = 0;
  std::uint64_t nulls_ = 0;
  ByteBuffer valid_;                    // one byte a value
  ByteBuffer values_;                   // fixed-width values, or offsets (one more than values)
  ByteBuffer bytes_;                    // of strings
  std::vector<std::string_view> keys_;  // of the map that is being looked at
  std::vector<std::uint8_t> valid_bits_;
  std::vector<std::uint8_t> value_bits_;
};

/// The Arrow type that a column of `type` has.
std::shared_ptr<arrow::DataType> ArrowType(const ColumnType& type);

}  // namespace sluice::delivery
