// Pages of items, as Scan and Query share them: what is looked at, what is kept of it, and where the next page begins.
// Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/api/aws/operation.h"
#include "broker/api/dynamodb/arguments.h"
#include "broker/api/dynamodb/table_store.h"

namespace sluice::broker::dynamodb {

inline constexpr std::size_t kPageBytesMax = 1u << 20;  // of the items that one page looks at

/// What Scan and Query ask for, besides which items.
struct PageRequest {
  TablePtr table;
  const IndexInfo* index = nullptr;  // of the table's info, which is held by
  std::shared_ptr<const TableInfo> info{};
  std::optional<Condition> filter{};
  std::optional<std::vector<Path>> projection{};  // nullopt: all there is
  std::optional<std::size_t> limit{};             // of items that are looked at
  std::optional<Item> start{};                    // the last key of the page before
  bool count_only = false;
};

/// TableName, IndexName, Select, Limit, ExclusiveStartKey, ConsistentRead and the projection. `filter` is read by the
/// caller, whose names for it differ.
ApiResult<PageRequest> ReadPageRequest(const TableStore& store, protocol::aws::Value input, Placeholders& holders);
/// FilterExpression, or the older form under `older`.
ApiResult<std::optional<Condition>> FilterOf(protocol::aws::Value input, std::string_view older, Placeholders& holders);

/// Where an item stands in the order of a table or an index; the key of `start` has a place as well.
std::string PlaceOf(const PageRequest& request, const Item& item);

/// The answer's body: `items` in their order, from behind the start of the request, until a limit is met.
std::string WritePage(const PageRequest& request, const aws::Call& call, const std::vector<StoredItemPtr>& items);

/// The shared members of both inputs.
protocol::aws::Shape PageShape();

}  // namespace sluice::broker::dynamodb
