// Query: the items of one hash key in the order of the range key, of a table or an index.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/api/dynamodb/expression/evaluate.h"
#include "broker/api/dynamodb/expression/legacy.h"
#include "broker/api/dynamodb/expression/parser.h"
#include "broker/api/dynamodb/handlers/operations.h"
#include "broker/api/dynamodb/item_key.h"
#include "broker/api/dynamodb/page.h"

namespace sluice::broker::dynamodb {
namespace {

namespace api = protocol::aws;
using Kind = Condition::Kind;

const api::Shape& Input() {
  static const api::Shape shape = PageShape()
                                      .Member("KeyConditions", MapShape())
                                      .Member("QueryFilter", MapShape())
                                      .Member("KeyConditionExpression", TextShape())
                                      .Member("ScanIndexForward", BooleanShape());
  return shape;
}

ApiResult<Condition> KeyConditionOf(api::Value input, Placeholders& holders) {
  if (input.Find("KeyConditionExpression")) {
    return ParseCondition({"KeyConditionExpression", TextOf(input, "KeyConditionExpression"), holders});
  }
  auto older = ReadConditions(input, "KeyConditions");
  if (!older) return std::unexpected(std::move(older.error()));
  if (*older) return std::move(**older);
  return std::unexpected(
      Validation("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."));
}

/// The comparisons that all must hold; false where there is anything else.
bool Flatten(const Condition& condition, std::vector<const Condition*>& parts) {
  if (condition.kind == Kind::kAnd) {
    return std::ranges::all_of(condition.children, [&](const Condition& child) { return Flatten(child, parts); });
  }
  parts.push_back(&condition);
  return condition.children.empty() && !condition.operands.empty() &&
         condition.operands[0].kind == Operand::Kind::kPath && condition.operands[0].path.size() == 1;
}

bool IsRangeKind(Kind kind) {
  return kind == Kind::kEqual || kind == Kind::kLess || kind == Kind::kLessEqual || kind == Kind::kGreater ||
         kind == Kind::kGreaterEqual || kind == Kind::kBetween || kind == Kind::kBeginsWith;
}

/// The value that the hash key must have. ValidationException where `condition` is none of the keys.
ApiResult<AttributeValue> HashOf(const Condition& condition, const KeySchema& keys) {
  std::vector<const Condition*> parts;
  const AttributeValue* hash = nullptr;
  bool good = Flatten(condition, parts) && parts.size() <= 2;
  for (const Condition* part : parts) {
    if (!good) break;
    const std::string& name = std::get<std::string>(part->operands[0].path.front());
    if (name == keys.hash.name && part->kind == Kind::kEqual && hash == nullptr) {
      good = part->operands[1].kind == Operand::Kind::kValue && part->operands[1].value.type == keys.hash.type;
      hash = &part->operands[1].value;
    } else {
      good = keys.range && name == keys.range->name && IsRangeKind(part->kind);
    }
  }
  if (!good) return std::unexpected(Validation("Query key condition not supported"));
  if (hash != nullptr) return *hash;
  return std::unexpected(Validation(fmt::format("Query condition missed key schema element: {}", keys.hash.name)));
}

/// The items that fulfil the condition and stand behind the start, in the order that is asked for.
std::vector<StoredItemPtr> Select(const PageRequest& request, const Condition& condition, const AttributeValue& hash,
                                  bool forward) {
  const std::string prefix = request.index == nullptr ? KeyPart(hash) : std::string();
  const std::string start = request.start ? PlaceOf(request, *request.start) : "";
  std::vector<std::pair<std::string, StoredItemPtr>> placed;
  for (StoredItemPtr& item : request.table->Read(prefix, {}, SIZE_MAX)) {
    if (request.index != nullptr && !KeyInIndex(request.index->keys, item->item)) continue;
    if (!Holds(condition, item->item)) continue;
    std::string place = PlaceOf(request, item->item);
    const bool behind = !request.start || (forward ? place > start : place < start);
    if (behind) placed.emplace_back(std::move(place), std::move(item));
  }
  std::ranges::sort(placed);
  if (!forward) std::ranges::reverse(placed);
  std::vector<StoredItemPtr> items;
  for (auto& [place, item] : placed) items.push_back(std::move(item));
  return items;
}

ApiResult<std::string> Handle(TableStore& store, const aws::Call& call) {
  const api::Value input = call.input();
  auto holders = Placeholders::Read(input);
  if (!holders) return std::unexpected(std::move(holders.error()));
  auto request = ReadPageRequest(store, input, *holders);
  if (!request) return std::unexpected(std::move(request.error()));
  const auto condition = KeyConditionOf(input, *holders);
  if (!condition) return std::unexpected(condition.error());
  auto filter = FilterOf(input, "QueryFilter", *holders);
  if (!filter) return std::unexpected(std::move(filter.error()));
  request->filter = std::move(*filter);
  if (auto used = holders->CheckAllUsed(); !used) return std::unexpected(std::move(used.error()));
  const KeySchema& keys = request->index != nullptr ? request->index->keys : request->info->keys;
  const auto hash = HashOf(*condition, keys);
  if (!hash) return std::unexpected(hash.error());
  const bool forward = !input.Find("ScanIndexForward") || IsTrue(input, "ScanIndexForward");
  return WritePage(*request, call, Select(*request, *condition, *hash, forward));
}

}  // namespace

aws::Operation Query(TableStore& store) { return Blocking("Query", Input, store, Handle); }

}  // namespace sluice::broker::dynamodb
