// DeleteItem: also where there is none, unless a condition asks for it.
#include "broker/api/dynamodb/handlers/operations.h"
#include "broker/api/dynamodb/item_write.h"

namespace sluice::broker::dynamodb {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = ItemWriteShape().Member("Key", MapShape(), protocol::aws::Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(TableStore& store, const aws::Call& call) {
  const auto write = ReadDelete(store, call.input());
  if (!write) return std::unexpected(write.error());
  return WriteOne(store, call, *write);
}

}  // namespace

aws::Operation DeleteItem(TableStore& store) { return Blocking("DeleteItem", Input, store, Handle); }

}  // namespace sluice::broker::dynamodb
