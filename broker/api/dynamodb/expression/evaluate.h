// What conditions, updates and projections say of an item. They look at the item only: no I/O, thread-safe.
#pragma once

#include <span>

#include "broker/api/dynamodb/attribute_value.h"
#include "broker/api/dynamodb/errors.h"
#include "broker/api/dynamodb/expression/expression.h"

namespace sluice::broker::dynamodb {

/// What stands at `path`; nullptr where nothing does.
const AttributeValue* Find(const Item& item, const Path& path);

/// An item that does not exist is an empty one.
bool Holds(const Condition& condition, const Item& item);

/// The item after `update`; all values come from the item before it. ValidationException where the update does not fit
/// the item.
ApiResult<Item> Apply(const Update& update, const Item& item);

/// The parts of `item` that `paths` name.
Item Project(const Item& item, std::span<const Path> paths);

}  // namespace sluice::broker::dynamodb
