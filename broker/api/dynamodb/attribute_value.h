// Values of items, as DynamoDB types them. Values only.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/dynamodb/number.h"

namespace sluice::broker::dynamodb {

enum class Type : std::uint8_t {
  kString,
  kNumber,
  kBinary,
  kBoolean,
  kNull,
  kStringSet,
  kNumberSet,
  kBinarySet,
  kList,
  kMap
};

/// "S", "NS", ..: the name of a type in requests, answers and expressions.
std::string_view TypeName(Type type);
inline bool IsSet(Type type) {
  return type == Type::kStringSet || type == Type::kNumberSet || type == Type::kBinarySet;
}
/// What the elements of a set are.
Type ElementType(Type set);

struct AttributeValue;
using Item = std::map<std::string, AttributeValue, std::less<>>;

struct AttributeValue {
  Type type = Type::kNull;
  std::string text{};                      // kString (UTF-8), kBinary
  Number number{};                         // kNumber
  bool boolean = false;                    // kBoolean
  std::vector<AttributeValue> elements{};  // kList; of sets ascending, each once
  Item members{};                          // kMap

  static AttributeValue String(std::string text) { return {.type = Type::kString, .text = std::move(text)}; }
  static AttributeValue Of(const Number& number) { return {.type = Type::kNumber, .number = number}; }

  bool operator==(const AttributeValue& other) const;
};

/// Of two scalars of one type (kString, kNumber, kBinary).
std::strong_ordering CompareScalars(const AttributeValue& a, const AttributeValue& b);
inline bool IsOrdered(Type type) { return type == Type::kString || type == Type::kNumber || type == Type::kBinary; }

/// Puts the elements of a set in their order; false where one is there twice.
bool SortSet(AttributeValue& set);

/// As DynamoDB counts the size of an item: names and values.
std::size_t SizeOf(const AttributeValue& value);
std::size_t SizeOf(const Item& item);

/// How deep and how large an item is as a JSON document, which is what it is kept as.
struct Extent {
  std::size_t depth = 0;   // of lists and maps
  std::size_t values = 0;  // names of attributes count
};
Extent ExtentOf(const Item& item);

}  // namespace sluice::broker::dynamodb
