// PutItem: a new item, or one in the place of another.
#include "broker/api/dynamodb/handlers/operations.h"
#include "broker/api/dynamodb/item_write.h"

namespace sluice::broker::dynamodb {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = ItemWriteShape().Member("Item", MapShape(), protocol::aws::Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(TableStore& store, const aws::Call& call) {
  const auto write = ReadPut(store, call.input());
  if (!write) return std::unexpected(write.error());
  return WriteOne(store, call, *write);
}

}  // namespace

aws::Operation PutItem(TableStore& store) { return Blocking("PutItem", Input, store, Handle); }

}  // namespace sluice::broker::dynamodb
