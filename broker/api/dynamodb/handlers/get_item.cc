// GetItem: always what is durable, whether ConsistentRead is asked for or not.
#include "broker/api/dynamodb/arguments.h"
#include "broker/api/dynamodb/expression/evaluate.h"
#include "broker/api/dynamodb/handlers/operations.h"
#include "broker/api/dynamodb/item_json.h"
#include "broker/api/dynamodb/item_key.h"

namespace sluice::broker::dynamodb {
namespace {

using protocol::aws::Shape;

const Shape& Input() {
  static const Shape texts = Shape::List(TextShape());
  static const Shape shape = TableInputShape()
                                 .Member("Key", MapShape(), protocol::aws::Required::kYes)
                                 .Member("AttributesToGet", texts)
                                 .Member("ConsistentRead", BooleanShape())
                                 .Member("ProjectionExpression", TextShape())
                                 .Member("ExpressionAttributeNames", MapShape());
  return shape;
}

ApiResult<std::string> Handle(TableStore& store, const aws::Call& call) {
  const auto table = TableOf(store, call.input());
  if (!table) return std::unexpected(table.error());
  const auto key = ItemOf(call.input(), "Key");
  if (!key) return std::unexpected(key.error());
  const auto bytes = KeyOfKey((*table)->info()->keys, *key);
  if (!bytes) return std::unexpected(bytes.error());
  if (auto good = CheckOneForm(call.input()); !good) return std::unexpected(std::move(good.error()));
  auto holders = Placeholders::Read(call.input());
  if (!holders) return std::unexpected(std::move(holders.error()));
  const auto paths = ProjectionOf(call.input(), *holders);
  if (!paths) return std::unexpected(paths.error());
  if (auto used = holders->CheckAllUsed(); !used) return std::unexpected(std::move(used.error()));
  const auto writer = call.NewWriter();
  writer->BeginMap();
  if (const StoredItemPtr item = (*table)->Get(*bytes)) {
    writer->Name("Item");
    WriteItem(*writer, *paths ? Project(item->item, **paths) : item->item);
  }
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation GetItem(TableStore& store) { return Blocking("GetItem", Input, store, Handle); }

}  // namespace sluice::broker::dynamodb
