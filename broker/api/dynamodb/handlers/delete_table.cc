// DeleteTable: the table and its items are gone when the answer comes.
#include "broker/api/dynamodb/arguments.h"
#include "broker/api/dynamodb/handlers/operations.h"
#include "broker/api/dynamodb/table_description.h"
#include "broker/log.h"

namespace sluice::broker::dynamodb {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = TableInputShape();
  return shape;
}

ApiResult<std::string> Handle(TableStore& store, const aws::Call& call) {
  const auto table = store.Drop(TableNameOf(TextOf(call.input(), "TableName")));
  if (!table) return std::unexpected(table.error());
  log::Info("dynamodb table deleted", {{"table", (*table)->info()->name}});
  return DescriptionAnswer(call, "TableDescription", **table, "DELETING");
}

}  // namespace

aws::Operation DeleteTable(TableStore& store) { return Blocking("DeleteTable", Input, store, Handle); }

}  // namespace sluice::broker::dynamodb
