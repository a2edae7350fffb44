// The key of an item as bytes: they sort as DynamoDB sorts items of one hash key, and no key is the beginning of
// another. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker/api/dynamodb/errors.h"
#include "broker/api/dynamodb/table_info.h"

namespace sluice::broker::dynamodb {

/// Of one scalar (S, N, B).
std::string KeyPart(const AttributeValue& value);

/// Of a request's Key: exactly the attributes of the schema. ValidationException otherwise.
ApiResult<std::string> KeyOfKey(const KeySchema& keys, const Item& key);
/// Of a whole item that is to be kept. ValidationException where attributes of the key are missing or of another type.
ApiResult<std::string> KeyOfItem(const KeySchema& keys, const Item& item);
/// Of an item in an index; nullopt where it is not in there, because it lacks an attribute of the index's key.
std::optional<std::string> KeyInIndex(const KeySchema& keys, const Item& item);
/// ValidationException where an attribute of an index's key has another type than the index says.
ApiResult<void> CheckIndexKeys(const TableInfo& table, const Item& item);

/// The attributes of the key alone.
Item KeyAttributes(const KeySchema& keys, const Item& item);

}  // namespace sluice::broker::dynamodb
