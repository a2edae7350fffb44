// Columns of one batch: growing, truncating, and handing the buffers over to Arrow.
#include "broker/delivery/column.h"

#include <arrow/api.h>

#include <algorithm>
#include <unordered_set>

namespace sluice::delivery {
namespace {

bool IsBytes(TypeKind kind) { return kind == TypeKind::kString || kind == TypeKind::kBinary; }
bool IsList(TypeKind kind) { return kind == TypeKind::kArray || kind == TypeKind::kMap; }
bool HasOffsets(TypeKind kind) { return IsBytes(kind) || IsList(kind); }

std::size_t WidthOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
    case TypeKind::kTinyint:
      return 1;
    case TypeKind::kSmallint:
      return 2;
    case TypeKind::kInt:
    case TypeKind::kFloat:
    case TypeKind::kDate:
      return 4;
    case TypeKind::kBigint:
    case TypeKind::kDouble:
    case TypeKind::kTimestamp:
      return 8;
    case TypeKind::kDecimal:
      return 16;
    case TypeKind::kString:
    case TypeKind::kBinary:
    case TypeKind::kArray:
    case TypeKind::kMap:
      return sizeof(std::int32_t);
    case TypeKind::kStruct:
      return 0;
  }
  SLUICE_CHECK(false);
}

// Arrow takes no null pointer, not even for no bytes.
std::shared_ptr<arrow::Buffer> Over(const void* data, std::size_t bytes) {
  if (data == nullptr) data = "";
  return std::make_shared<arrow::Buffer>(static_cast<const std::uint8_t*>(data), static_cast<std::int64_t>(bytes));
}

}  // namespace

std::shared_ptr<arrow::DataType> ArrowType(const ColumnType& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return arrow::boolean();
    case TypeKind::kTinyint:
      return arrow::int8();
    case TypeKind::kSmallint:
      return arrow::int16();
    case TypeKind::kInt:
      return arrow::int32();
    case TypeKind::kBigint:
      return arrow::int64();
    case TypeKind::kFloat:
      return arrow::float32();
    case TypeKind::kDouble:
      return arrow::float64();
    case TypeKind::kDecimal:
      return arrow::decimal128(type.precision, type.scale);
    case TypeKind::kString:
      return arrow::utf8();
    case TypeKind::kBinary:
      return arrow::binary();
    case TypeKind::kTimestamp:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case TypeKind::kDate:
      return arrow::date32();
    case TypeKind::kArray:
      return arrow::list(arrow::field("element", ArrowType(type.children[0].type)));
    case TypeKind::kMap:
      return arrow::map(ArrowType(type.children[0].type), ArrowType(type.children[1].type));
    case TypeKind::kStruct: {
      arrow::FieldVector fields;
      for (const Field& child : type.children) fields.push_back(arrow::field(child.name, ArrowType(child.type)));
      return arrow::struct_(fields);
    }
  }
  SLUICE_CHECK(false);
}

void ByteBuffer::Grow(std::size_t more) {
  std::size_t capacity = std::max<std::size_t>({size_ + more, capacity_ * 2, 256});
  auto grown = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(grown.get(), data_.get(), size_);
  data_ = std::move(grown);
  capacity_ = capacity;
}

Column::Column(const ColumnType& type)
    : kind_(type.kind),
      precision_(type.precision),
      scale_(type.scale),
      width_(WidthOf(type.kind)),
      arrow_type_(ArrowType(type)) {
  for (const Field& child : type.children) children_.emplace_back(child.type);
  Truncate(0);
}

void Column::AppendNull() {
  if (HasOffsets(kind_)) {
    std::size_t end = IsBytes(kind_) ? bytes_.size() : children_.front().size();
    values_.AppendValue(static_cast<std::int32_t>(end));
  } else if (kind_ == TypeKind::kStruct) {
    for (Column& child : children_) child.AppendNull();
  } else {
    constexpr char kZeros[16] = {};
    values_.Append(kZeros, width_);
  }
  Added(false);
  ++nulls_;
}

void Column::Truncate(std::uint64_t size) {
  SLUICE_CHECK(size <= size_);
  for (std::uint64_t i = size; i < size_; ++i) nulls_ -= valid_.data()[i] == 0 ? 1 : 0;
  size_ = size;
  valid_.Resize(size);
  if (HasOffsets(kind_)) {
    if (values_.size() == 0) values_.AppendValue(std::int32_t{0});
    values_.Resize((size + 1) * width_);
    std::int32_t end = 0;
    std::memcpy(&end, values_.data() + size * width_, sizeof(end));
    if (IsBytes(kind_)) bytes_.Resize(static_cast<std::size_t>(end));
    for (Column& child : children_) child.Truncate(std::min(child.size(), static_cast<std::uint64_t>(end)));
  } else {
    values_.Resize(size * width_);
    for (Column& child : children_) child.Truncate(std::min(child.size(), size));
  }
}

void Column::KeepLastOfEachKey(std::uint64_t first) {
  const Column& keys = children_.front();
  keys_.clear();
  for (std::uint64_t i = first; i < keys.size_; ++i) keys_.push_back(keys.Bytes(i));
  std::ranges::sort(keys_);
  if (std::ranges::adjacent_find(keys_) == keys_.end()) return;
  std::unordered_set<std::string_view> seen;
  std::vector<bool> kept(keys_.size());
  for (std::size_t i = kept.size(); i-- > 0;) kept[i] = seen.insert(keys.Bytes(first + i)).second;
  for (Column& child : children_) child.Keep(first, kept);
}

std::int32_t Column::Offset(std::uint64_t place) const {
  std::int32_t offset = 0;
  std::memcpy(&offset, values_.data() + place * width_, sizeof(offset));
  return offset;
}

/// Equal values of a key's type have equal bytes.
std::string_view Column::Bytes(std::uint64_t place) const {
  if (!IsBytes(kind_)) return {values_.data() + place * width_, width_};
  const auto begin = static_cast<std::size_t>(Offset(place));
  return {bytes_.data() + begin, static_cast<std::size_t>(Offset(place + 1)) - begin};
}

/// Takes out the values from `first` on that are not `kept`.
void Column::Keep(std::uint64_t first, const std::vector<bool>& kept) {
  SLUICE_CHECK(first + kept.size() == size_);
  if (HasOffsets(kind_)) {
    KeepElements(first, kept);
  } else {
    for (Column& child : children_) child.Keep(first, kept);
  }
  std::uint64_t size = first;
  for (std::uint64_t i = first; i < size_; ++i) {
    if (!kept[i - first]) {
      nulls_ -= valid_.data()[i] == 0 ? 1 : 0;
      continue;
    }
    valid_.data()[size] = valid_.data()[i];
    if (!HasOffsets(kind_) && width_ > 0)
      std::memmove(values_.data() + size * width_, values_.data() + i * width_, width_);
    ++size;
  }
  size_ = size;
  valid_.Resize(size);
  values_.Resize((size + (HasOffsets(kind_) ? 1 : 0)) * width_);
}

/// The bytes or the children's values of those that are kept move up, and their offsets with them.
void Column::KeepElements(std::uint64_t first, const std::vector<bool>& kept) {
  const std::int32_t start = Offset(first);
  std::vector<bool> kept_elements;
  std::uint64_t size = first;
  std::int32_t begin = start;
  std::int32_t end = start;
  for (std::uint64_t i = first; i < size_; ++i) {
    const std::int32_t next = Offset(i + 1);
    const auto count = static_cast<std::size_t>(next - begin);
    if (!IsBytes(kind_)) kept_elements.insert(kept_elements.end(), count, kept[i - first]);
    if (kept[i - first]) {
      if (IsBytes(kind_) && count > 0) std::memmove(bytes_.data() + end, bytes_.data() + begin, count);
      end += next - begin;
      ++size;
      std::memcpy(values_.data() + size * width_, &end, sizeof(end));
    }
    begin = next;
  }
  if (IsBytes(kind_)) bytes_.Resize(static_cast<std::size_t>(end));
  for (Column& child : children_) child.Keep(static_cast<std::uint64_t>(start), kept_elements);
}

std::uint64_t Column::bytes() const {
  std::uint64_t total = valid_.size() + values_.size() + bytes_.size();
  for (const Column& child : children_) total += child.bytes();
  return total;
}

void Column::PackBits(const ByteBuffer& from, std::vector<std::uint8_t>& to) const {
  to.assign((size_ + 7) / 8, 0);
  for (std::uint64_t i = 0; i < size_; ++i) {
    to[i / 8] = static_cast<std::uint8_t>(to[i / 8] | (from.data()[i] != 0 ? 1u << (i % 8) : 0u));
  }
}

std::shared_ptr<arrow::ArrayData> Column::View() {
  auto length = static_cast<std::int64_t>(size_);
  auto nulls = static_cast<std::int64_t>(nulls_);
  std::shared_ptr<arrow::Buffer> valid;
  if (nulls_ > 0) {
    PackBits(valid_, valid_bits_);
    valid = Over(valid_bits_.data(), valid_bits_.size());
  }
  if (kind_ == TypeKind::kBoolean) {
    PackBits(values_, value_bits_);
    return arrow::ArrayData::Make(arrow_type_, length, {valid, Over(value_bits_.data(), value_bits_.size())}, nulls);
  }
  std::shared_ptr<arrow::Buffer> values = Over(values_.data(), values_.size());
  if (IsBytes(kind_)) {
    return arrow::ArrayData::Make(arrow_type_, length, {valid, values, Over(bytes_.data(), bytes_.size())}, nulls);
  }
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (Column& child : children_) children.push_back(child.View());
  if (kind_ == TypeKind::kStruct) return arrow::ArrayData::Make(arrow_type_, length, {valid}, children, nulls);
  if (kind_ == TypeKind::kMap) {
    std::shared_ptr<arrow::DataType> entry = static_cast<const arrow::MapType&>(*arrow_type_).value_type();
    children = {arrow::ArrayData::Make(entry, children.front()->length, {nullptr}, children, 0)};
  }
  if (kind_ == TypeKind::kArray || kind_ == TypeKind::kMap) {
    return arrow::ArrayData::Make(arrow_type_, length, {valid, values}, children, nulls);
  }
  return arrow::ArrayData::Make(arrow_type_, length, {valid, values}, nulls);
}

}  // namespace sluice::delivery
