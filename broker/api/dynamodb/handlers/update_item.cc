// UpdateItem: changes attributes of an item, or makes it.
#include "broker/api/dynamodb/handlers/operations.h"
#include "broker/api/dynamodb/item_write.h"

namespace sluice::broker::dynamodb {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = ItemWriteShape()
                                                .Member("Key", MapShape(), protocol::aws::Required::kYes)
                                                .Member("AttributeUpdates", MapShape())
                                                .Member("UpdateExpression", TextShape());
  return shape;
}

ApiResult<std::string> Handle(TableStore& store, const aws::Call& call) {
  const auto write = ReadUpdate(store, call.input());
  if (!write) return std::unexpected(write.error());
  return WriteOne(store, call, *write);
}

}  // namespace

aws::Operation UpdateItem(TableStore& store) { return Blocking("UpdateItem", Input, store, Handle); }

}  // namespace sluice::broker::dynamodb
