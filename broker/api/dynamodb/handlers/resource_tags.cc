// TagResource, UntagResource and ListTagsOfResource, by the table's ARN.
#include "broker/api/aws/write_tags.h"
#include "broker/api/dynamodb/arguments.h"
#include "broker/api/dynamodb/handlers/operations.h"

namespace sluice::broker::dynamodb {
namespace {

using protocol::aws::Required;
using protocol::aws::Shape;

Shape ResourceShape() { return Shape::Structure().Member("ResourceArn", TableShape(), Required::kYes); }

const Shape& TagInput() {
  static const Shape tags = Shape::List(MapShape());
  static const Shape shape = ResourceShape().Member("Tags", tags, Required::kYes);
  return shape;
}

const Shape& UntagInput() {
  static const Shape keys = Shape::List(TextShape());
  static const Shape shape = ResourceShape().Member("TagKeys", keys, Required::kYes);
  return shape;
}

const Shape& ListInput() {
  static const Shape shape = ResourceShape();
  return shape;
}

std::string_view TableIn(const aws::Call& call) { return TableNameOf(TextOf(call.input(), "ResourceArn")); }

ApiResult<std::string> Tag(TableStore& store, const aws::Call& call) {
  const auto table =
      store.Change(TableIn(call), [&](TableInfo& info) { return ReadTags(*call.input().Find("Tags"), info.tags); });
  if (!table) return std::unexpected(table.error());
  return std::string();
}

ApiResult<std::string> Untag(TableStore& store, const aws::Call& call) {
  const auto table = store.Change(TableIn(call), [&](TableInfo& info) -> ApiResult<void> {
    for (const auto [unnamed, key] : call.input().Find("TagKeys")->children()) {
      if (key.kind() == protocol::aws::Kind::kText) info.tags.erase(std::string(key.text()));
    }
    return {};
  });
  if (!table) return std::unexpected(table.error());
  return std::string();
}

ApiResult<std::string> List(TableStore& store, const aws::Call& call) {
  const TablePtr table = store.Find(TableIn(call));
  if (table == nullptr) return std::unexpected(TableNotFound(TableIn(call)));
  const auto writer = call.NewWriter();
  writer->BeginMap();
  aws::WriteTags(*writer, table->info()->tags);
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation TagResource(TableStore& store) { return Blocking("TagResource", TagInput, store, Tag); }
aws::Operation UntagResource(TableStore& store) { return Blocking("UntagResource", UntagInput, store, Untag); }
aws::Operation ListTagsOfResource(TableStore& store) { return Blocking("ListTagsOfResource", ListInput, store, List); }

}  // namespace sluice::broker::dynamodb
