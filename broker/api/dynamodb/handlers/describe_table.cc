// DescribeTable: sizes and counts are exact at every moment.
#include "broker/api/dynamodb/arguments.h"
#include "broker/api/dynamodb/handlers/operations.h"
#include "broker/api/dynamodb/table_description.h"

namespace sluice::broker::dynamodb {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = TableInputShape();
  return shape;
}

ApiResult<std::string> Handle(TableStore& store, const aws::Call& call) {
  const std::string_view name = TableNameOf(TextOf(call.input(), "TableName"));
  const TablePtr table = store.Find(name);
  if (table == nullptr) return std::unexpected(TableNotFound(name));
  return DescriptionAnswer(call, "Table", *table);
}

}  // namespace

aws::Operation DescribeTable(TableStore& store) { return Blocking("DescribeTable", Input, store, Handle); }

}  // namespace sluice::broker::dynamodb
