// One page.
#include "broker/api/dynamodb/page.h"

#include <fmt/format.h>

#include <utility>

#include "broker/api/dynamodb/expression/evaluate.h"
#include "broker/api/dynamodb/expression/legacy.h"
#include "broker/api/dynamodb/expression/parser.h"
#include "broker/api/dynamodb/item_json.h"
#include "broker/api/dynamodb/item_key.h"

namespace sluice::broker::dynamodb {
namespace {

namespace api = protocol::aws;

ApiResult<void> ReadIndexName(api::Value input, PageRequest& request) {
  const std::string_view name = TextOf(input, "IndexName");
  if (name.empty()) return {};
  request.index = request.info->FindIndex(name);
  if (request.index == nullptr) {
    return std::unexpected(Validation(fmt::format("The table does not have the specified index: {}", name)));
  }
  if (!IsTrue(input, "ConsistentRead")) return {};
  return std::unexpected(Validation("Consistent reads are not supported on global secondary indexes"));
}

/// The attributes that a page's last key has.
Item LastKey(const PageRequest& request, const Item& item) {
  Item key = KeyAttributes(request.info->keys, item);
  if (request.index != nullptr) key.merge(KeyAttributes(request.index->keys, item));
  return key;
}

ApiResult<void> ReadStart(api::Value input, PageRequest& request) {
  if (!input.Find("ExclusiveStartKey")) return {};
  auto start = ItemOf(input, "ExclusiveStartKey");
  if (!start) return std::unexpected(std::move(start.error()));
  const bool complete = KeyOfItem(request.info->keys, *start).has_value() &&
                        (request.index == nullptr || KeyInIndex(request.index->keys, *start)) &&
                        LastKey(request, *start).size() == start->size();
  if (!complete) return std::unexpected(Validation("The provided starting key is invalid"));
  request.start = std::move(*start);
  return {};
}

/// What an index has of an item.
Item InIndex(const PageRequest& request, const Item& item) {
  if (request.index == nullptr || request.index->projection == "ALL") return item;
  Item projected = LastKey(request, item);
  for (const std::string& name : request.index->also) {
    if (const auto found = item.find(name); found != item.end()) projected.insert(*found);
  }
  return projected;
}

}  // namespace

std::string PlaceOf(const PageRequest& request, const Item& item) {
  std::string place = request.index != nullptr ? KeyInIndex(request.index->keys, item).value_or("") : "";
  return place + KeyOfItem(request.info->keys, item).value_or("");
}

ApiResult<PageRequest> ReadPageRequest(const TableStore& store, api::Value input, Placeholders& holders) {
  if (auto good = CheckOneForm(input); !good) return std::unexpected(std::move(good.error()));
  const auto table = TableOf(store, input);
  if (!table) return std::unexpected(table.error());
  PageRequest request{.table = *table, .info = (*table)->info()};
  if (auto read = ReadIndexName(input, request); !read) return std::unexpected(std::move(read.error()));
  if (auto read = ReadStart(input, request); !read) return std::unexpected(std::move(read.error()));
  auto projection = ProjectionOf(input, holders);
  if (!projection) return std::unexpected(std::move(projection.error()));
  request.projection = std::move(*projection);
  if (const auto limit = IntegerOf(input, "Limit")) request.limit = static_cast<std::size_t>(*limit);
  request.count_only = TextOf(input, "Select") == "COUNT";
  return request;
}

ApiResult<std::optional<Condition>> FilterOf(api::Value input, std::string_view older, Placeholders& holders) {
  if (!input.Find("FilterExpression")) return ReadConditions(input, older);
  auto filter = ParseCondition({"FilterExpression", TextOf(input, "FilterExpression"), holders});
  if (!filter) return std::unexpected(std::move(filter.error()));
  return std::move(*filter);
}

std::string WritePage(const PageRequest& request, const aws::Call& call, const std::vector<StoredItemPtr>& items) {
  const auto writer = call.NewWriter();
  std::int64_t count = 0;
  std::size_t scanned = 0;
  std::size_t bytes = 0;
  writer->BeginMap();
  if (!request.count_only) writer->Name("Items").BeginList();
  for (const StoredItemPtr& item : items) {
    if (bytes >= kPageBytesMax || (request.limit && scanned >= *request.limit)) break;
    ++scanned;
    bytes += item->bytes;
    if (request.filter && !Holds(*request.filter, item->item)) continue;
    ++count;
    if (request.count_only) continue;
    const Item shown = InIndex(request, item->item);
    WriteItem(*writer, request.projection ? Project(shown, *request.projection) : shown);
  }
  if (!request.count_only) writer->EndList();
  writer->Name("Count").Integer(count);
  writer->Name("ScannedCount").Integer(static_cast<std::int64_t>(scanned));
  const bool limited = bytes >= kPageBytesMax || (request.limit && scanned >= *request.limit);
  if (scanned > 0 && (scanned < items.size() || limited)) {
    writer->Name("LastEvaluatedKey");
    WriteItem(*writer, LastKey(request, items[scanned - 1]->item));
  }
  writer->EndMap();
  return writer->Take();
}

api::Shape PageShape() {
  static const api::Shape limit = api::Shape::Integer().Range(1, INT32_MAX);
  static const api::Shape select =
      api::Shape::Text().OneOf({"SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"});
  static const api::Shape texts = api::Shape::List(TextShape());
  return TableInputShape()
      .Member("IndexName", TextShape())
      .Member("Select", select)
      .Member("Limit", limit)
      .Member("ExclusiveStartKey", MapShape())
      .Member("ConsistentRead", BooleanShape())
      .Member("AttributesToGet", texts)
      .Member("ConditionalOperator", TextShape())
      .Member("FilterExpression", TextShape())
      .Member("ProjectionExpression", TextShape())
      .Member("ExpressionAttributeNames", MapShape())
      .Member("ExpressionAttributeValues", MapShape());
}

}  // namespace sluice::broker::dynamodb
