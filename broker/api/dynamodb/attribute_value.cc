// Comparing and measuring values.
#include "broker/api/dynamodb/attribute_value.h"

#include <algorithm>
#include <array>

#include "protocol/check.h"

namespace sluice::broker::dynamodb {
namespace {

constexpr std::array<std::string_view, 10> kTypeNames = {"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"};

std::size_t SizeOfNumber(const Number& number) { return (number.digits() + 1) / 2 + (number.negative() ? 2 : 1); }

void Measure(const AttributeValue& value, std::size_t depth, Extent& extent);

void Measure(const Item& item, std::size_t depth, Extent& extent) {
  extent.depth = std::max(extent.depth, depth);
  ++extent.values;
  for (const auto& [name, value] : item) {
    ++extent.values;
    Measure(value, depth + 1, extent);
  }
}

// {"L": [..]}: a map with one name, and what is in it.
void Measure(const AttributeValue& value, std::size_t depth, Extent& extent) {
  extent.depth = std::max(extent.depth, depth);
  extent.values += 2;
  if (value.type == Type::kMap) return Measure(value.members, depth + 1, extent);
  ++extent.values;
  if (IsSet(value.type)) {
    extent.depth = std::max(extent.depth, depth + 1);
    extent.values += value.elements.size();
  } else if (value.type == Type::kList) {
    extent.depth = std::max(extent.depth, depth + 1);
    for (const AttributeValue& element : value.elements) Measure(element, depth + 2, extent);
  }
}

}  // namespace

std::string_view TypeName(Type type) { return kTypeNames.at(static_cast<std::size_t>(type)); }

Type ElementType(Type set) {
  SLUICE_CHECK(IsSet(set));
  if (set == Type::kStringSet) return Type::kString;
  return set == Type::kNumberSet ? Type::kNumber : Type::kBinary;
}

bool AttributeValue::operator==(const AttributeValue& other) const {
  return type == other.type && text == other.text && number == other.number && boolean == other.boolean &&
         elements == other.elements && members == other.members;
}

std::strong_ordering CompareScalars(const AttributeValue& a, const AttributeValue& b) {
  SLUICE_CHECK(a.type == b.type && IsOrdered(a.type));
  return a.type == Type::kNumber ? a.number <=> b.number : a.text <=> b.text;
}

bool SortSet(AttributeValue& set) {
  std::ranges::sort(set.elements,
                    [](const AttributeValue& a, const AttributeValue& b) { return CompareScalars(a, b) < 0; });
  return std::ranges::adjacent_find(set.elements) == set.elements.end();
}

std::size_t SizeOf(const AttributeValue& value) {
  constexpr std::size_t kContainer = 3;
  switch (value.type) {
    case Type::kString:
    case Type::kBinary:
      return value.text.size();
    case Type::kNumber:
      return SizeOfNumber(value.number);
    case Type::kBoolean:
    case Type::kNull:
      return 1;
    case Type::kMap:
      return kContainer + value.members.size() + SizeOf(value.members);
    default:
      break;
  }
  std::size_t size = value.type == Type::kList ? kContainer + value.elements.size() : 0;
  for (const AttributeValue& element : value.elements) size += SizeOf(element);
  return size;
}

std::size_t SizeOf(const Item& item) {
  std::size_t size = 0;
  for (const auto& [name, value] : item) size += name.size() + SizeOf(value);
  return size;
}

Extent ExtentOf(const Item& item) {
  Extent extent;
  Measure(item, 1, extent);
  return extent;
}

}  // namespace sluice::broker::dynamodb
