// Writes of one item, as PutItem, UpdateItem, DeleteItem and the actions of TransactWriteItems share them. Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "broker/api/aws/operation.h"
#include "broker/api/dynamodb/arguments.h"
#include "broker/api/dynamodb/table_store.h"

namespace sluice::broker::dynamodb {

/// A write of one item, read from a request; `paths` are those that an update touches.
struct ItemWrite {
  ItemChange change;
  std::vector<Path> paths{};
};

/// `input` is an operation's, or that of one action of a transaction; it outlives the write.
ApiResult<ItemWrite> ReadPut(const TableStore& store, protocol::aws::Value input);
ApiResult<ItemWrite> ReadUpdate(const TableStore& store, protocol::aws::Value input);
ApiResult<ItemWrite> ReadDelete(const TableStore& store, protocol::aws::Value input);
/// Changes nothing.
ApiResult<ItemWrite> ReadCheck(const TableStore& store, protocol::aws::Value input);

/// Writes one item and gives the answer's body: {"Attributes": ..} as ReturnValues asks for it.
ApiResult<std::string> WriteOne(TableStore& store, const aws::Call& call, const ItemWrite& write);

/// The input of an operation that writes one item, without what stands in its place (Item, Key).
protocol::aws::Shape ItemWriteShape();

}  // namespace sluice::broker::dynamodb
