// A zero byte within a text or binary part is written as 0x00 0xff, and the part ends with 0x00 0x01.
#include "broker/api/dynamodb/item_key.h"

#include <fmt/format.h>

namespace sluice::broker::dynamodb {
namespace {

constexpr std::size_t kHashBytesMax = 2048;
constexpr std::size_t kRangeBytesMax = 1024;

const AttributeValue* Find(const Item& item, std::string_view name) {
  const auto found = item.find(name);
  return found == item.end() ? nullptr : &found->second;
}

ApiResult<void> CheckValue(const KeyAttribute& attribute, const AttributeValue& value, std::size_t bytes_max) {
  if (value.type == Type::kNumber) return {};
  if (value.text.empty()) {
    return std::unexpected(Validation(fmt::format(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
        "empty {} value. Key: {}",
        value.type == Type::kString ? "string" : "binary", attribute.name)));
  }
  if (value.text.size() <= bytes_max) return {};
  return std::unexpected(InvalidParameter(fmt::format("Size of {} has exceeded the maximum size limit of {} bytes",
                                                      bytes_max == kHashBytesMax ? "hashkey" : "rangekey", bytes_max)));
}

/// One attribute of an item's key.
ApiResult<std::string> PartOfItem(const KeyAttribute& attribute, const Item& item, std::size_t bytes_max) {
  const AttributeValue* const value = Find(item, attribute.name);
  if (value == nullptr) {
    return std::unexpected(InvalidParameter(fmt::format("Missing the key {} in the item", attribute.name)));
  }
  if (value->type != attribute.type) {
    return std::unexpected(
        InvalidParameter(fmt::format("Type mismatch for key {} expected: {} actual: {}", attribute.name,
                                     TypeName(attribute.type), TypeName(value->type))));
  }
  if (auto good = CheckValue(attribute, *value, bytes_max); !good) return std::unexpected(std::move(good.error()));
  return KeyPart(*value);
}

}  // namespace

std::string KeyPart(const AttributeValue& value) {
  if (value.type == Type::kNumber) return value.number.SortBytes();
  std::string bytes;
  bytes.reserve(value.text.size() + 2);
  for (const char c : value.text) {
    bytes += c;
    if (c == '\0') bytes += '\xff';
  }
  bytes += '\0';
  bytes += '\x01';
  return bytes;
}

ApiResult<std::string> KeyOfItem(const KeySchema& keys, const Item& item) {
  auto bytes = PartOfItem(keys.hash, item, kHashBytesMax);
  if (!bytes || !keys.range) return bytes;
  const auto range = PartOfItem(*keys.range, item, kRangeBytesMax);
  if (!range) return range;
  return *bytes + *range;
}

ApiResult<std::string> KeyOfKey(const KeySchema& keys, const Item& key) {
  const AttributeValue* const hash = Find(key, keys.hash.name);
  const AttributeValue* const range = keys.range ? Find(key, keys.range->name) : nullptr;
  const bool complete = key.size() == (keys.range ? 2U : 1U) && hash != nullptr && hash->type == keys.hash.type &&
                        (!keys.range || (range != nullptr && range->type == keys.range->type));
  if (complete) return KeyOfItem(keys, key);
  return std::unexpected(Validation("The provided key element does not match the schema"));
}

std::optional<std::string> KeyInIndex(const KeySchema& keys, const Item& item) {
  const AttributeValue* const hash = Find(item, keys.hash.name);
  if (hash == nullptr || hash->type != keys.hash.type) return std::nullopt;
  if (!keys.range) return KeyPart(*hash);
  const AttributeValue* const range = Find(item, keys.range->name);
  if (range == nullptr || range->type != keys.range->type) return std::nullopt;
  return KeyPart(*hash) + KeyPart(*range);
}

ApiResult<void> CheckIndexKeys(const TableInfo& table, const Item& item) {
  for (const IndexInfo& index : table.indexes) {
    for (const KeyAttribute* attribute : {&index.keys.hash, index.keys.range ? &*index.keys.range : &index.keys.hash}) {
      const AttributeValue* const value = Find(item, attribute->name);
      if (value == nullptr) continue;
      if (value->type != attribute->type) {
        return std::unexpected(InvalidParameter(
            fmt::format("Type mismatch for Index Key {} Expected: {} Actual: {} IndexName: {}", attribute->name,
                        TypeName(attribute->type), TypeName(value->type), index.name)));
      }
      if (auto good = CheckValue(*attribute, *value, kHashBytesMax); !good) return good;
    }
  }
  return {};
}

Item KeyAttributes(const KeySchema& keys, const Item& item) {
  Item key;
  if (const AttributeValue* const hash = Find(item, keys.hash.name)) key.emplace(keys.hash.name, *hash);
  if (!keys.range) return key;
  if (const AttributeValue* const range = Find(item, keys.range->name)) key.emplace(keys.range->name, *range);
  return key;
}

}  // namespace sluice::broker::dynamodb
