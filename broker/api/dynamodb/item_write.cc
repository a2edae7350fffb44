// From a request to what is decided under the table's lock, and to the answer.
#include "broker/api/dynamodb/item_write.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/api/dynamodb/expression/evaluate.h"
#include "broker/api/dynamodb/expression/legacy.h"
#include "broker/api/dynamodb/expression/parser.h"
#include "broker/api/dynamodb/item_json.h"
#include "broker/api/dynamodb/item_key.h"

namespace sluice::broker::dynamodb {
namespace {

namespace api = protocol::aws;

using NewItem = ApiResult<std::optional<Item>>;

/// What a write and its condition share: the table, the key and the placeholders of a request.
struct Target {
  TablePtr table;
  std::string key;
  std::optional<Condition> condition;
};

ApiResult<Target> ReadTarget(const TableStore& store, api::Value input, Placeholders& holders) {
  const auto table = TableOf(store, input);
  if (!table) return std::unexpected(table.error());
  const auto key = ItemOf(input, "Key");
  if (!key) return std::unexpected(key.error());
  auto bytes = KeyOfKey((*table)->info()->keys, *key);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  auto condition = ConditionOf(input, holders);
  if (!condition) return std::unexpected(std::move(condition.error()));
  return Target{*table, std::move(*bytes), std::move(*condition)};
}

/// `then` where the condition holds.
ItemChange Guarded(Target target, api::Value input, std::function<NewItem(const Item* old)> then) {
  auto decide = [condition = std::move(target.condition), input, then = std::move(then)](const Item* old) -> NewItem {
    if (condition && !Holds(*condition, old != nullptr ? *old : Item())) {
      return std::unexpected(ConditionFailedError(input, old));
    }
    return then(old);
  };
  return {std::move(target.table), std::move(target.key), std::move(decide)};
}

ApiResult<Update> UpdateOf(api::Value input, Placeholders& holders) {
  if (!input.Find("UpdateExpression")) {
    auto update = ReadAttributeUpdates(input);
    if (!update) return std::unexpected(std::move(update.error()));
    return update->value_or(Update());
  }
  return ParseUpdate({"UpdateExpression", TextOf(input, "UpdateExpression"), holders});
}

ApiResult<void> CheckKeyUntouched(const KeySchema& keys, const Update& update) {
  for (const UpdateAction& action : update) {
    const std::string& name = std::get<std::string>(action.path.front());
    if (!keys.Has(name)) continue;
    return std::unexpected(
        InvalidParameter(fmt::format("Cannot update attribute {}. This attribute is part of the key", name)));
  }
  return {};
}

/// What ReturnValues shows; nullopt: nothing.
std::optional<Item> Returned(std::string_view return_values, const ItemOutcome& outcome, std::span<const Path> paths) {
  const StoredItemPtr& shown = return_values.ends_with("_OLD") ? outcome.old : outcome.now;
  if (return_values.empty() || return_values == "NONE" || shown == nullptr) return std::nullopt;
  if (return_values.starts_with("ALL")) return shown->item;
  Item item = Project(shown->item, paths);
  if (item.empty()) return std::nullopt;
  return item;
}

}  // namespace

ApiResult<ItemWrite> ReadPut(const TableStore& store, api::Value input) {
  const auto table = TableOf(store, input);
  if (!table) return std::unexpected(table.error());
  auto item = ItemOf(input, "Item");
  if (!item) return std::unexpected(std::move(item.error()));
  auto key = KeyOfItem((*table)->info()->keys, *item);
  if (!key) return std::unexpected(std::move(key.error()));
  auto holders = Placeholders::Read(input);
  if (!holders) return std::unexpected(std::move(holders.error()));
  auto condition = ConditionOf(input, *holders);
  if (!condition) return std::unexpected(std::move(condition.error()));
  if (auto used = holders->CheckAllUsed(); !used) return std::unexpected(std::move(used.error()));
  return ItemWrite{Guarded({*table, std::move(*key), std::move(*condition)}, input,
                           [item = std::move(*item)](const Item*) -> NewItem { return item; })};
}

ApiResult<ItemWrite> ReadUpdate(const TableStore& store, api::Value input) {
  auto holders = Placeholders::Read(input);
  if (!holders) return std::unexpected(std::move(holders.error()));
  auto target = ReadTarget(store, input, *holders);
  if (!target) return std::unexpected(std::move(target.error()));
  auto update = UpdateOf(input, *holders);
  if (!update) return std::unexpected(std::move(update.error()));
  if (auto used = holders->CheckAllUsed(); !used) return std::unexpected(std::move(used.error()));
  const auto info = target->table->info();
  if (auto good = CheckKeyUntouched(info->keys, *update); !good) return std::unexpected(std::move(good.error()));
  ItemWrite write;
  for (const UpdateAction& action : *update) write.paths.push_back(action.path);
  auto then = [key = *ItemOf(input, "Key"), update = std::move(*update)](const Item* old) -> NewItem {
    auto item = Apply(update, old != nullptr ? *old : key);
    if (!item) return std::unexpected(std::move(item.error()));
    return std::move(*item);
  };
  write.change = Guarded(std::move(*target), input, std::move(then));
  return write;
}

ApiResult<ItemWrite> ReadDelete(const TableStore& store, api::Value input) {
  auto holders = Placeholders::Read(input);
  if (!holders) return std::unexpected(std::move(holders.error()));
  auto target = ReadTarget(store, input, *holders);
  if (!target) return std::unexpected(std::move(target.error()));
  if (auto used = holders->CheckAllUsed(); !used) return std::unexpected(std::move(used.error()));
  return ItemWrite{Guarded(std::move(*target), input, [](const Item*) -> NewItem { return std::nullopt; })};
}

ApiResult<ItemWrite> ReadCheck(const TableStore& store, api::Value input) {
  auto holders = Placeholders::Read(input);
  if (!holders) return std::unexpected(std::move(holders.error()));
  auto target = ReadTarget(store, input, *holders);
  if (!target) return std::unexpected(std::move(target.error()));
  if (auto used = holders->CheckAllUsed(); !used) return std::unexpected(std::move(used.error()));
  return ItemWrite{Guarded(std::move(*target), input, [](const Item* old) -> NewItem {
    if (old == nullptr) return std::nullopt;
    return *old;
  })};
}

ApiResult<std::string> WriteOne(TableStore& store, const aws::Call& call, const ItemWrite& write) {
  const std::vector<ItemOutcome> outcomes = store.Write(std::span(&write.change, 1));
  if (outcomes[0].error) return std::unexpected(*outcomes[0].error);
  const auto writer = call.NewWriter();
  writer->BeginMap();
  if (const auto item = Returned(TextOf(call.input(), "ReturnValues"), outcomes[0], write.paths)) {
    writer->Name("Attributes");
    WriteItem(*writer, *item);
  }
  writer->EndMap();
  return writer->Take();
}

api::Shape ItemWriteShape() {
  static const api::Shape return_values =
      api::Shape::Text().OneOf({"ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"});
  static const api::Shape on_failure = api::Shape::Text().OneOf({"ALL_OLD", "NONE"});
  return TableInputShape()
      .Member("Expected", MapShape())
      .Member("ConditionalOperator", TextShape())
      .Member("ConditionExpression", TextShape())
      .Member("ExpressionAttributeNames", MapShape())
      .Member("ExpressionAttributeValues", MapShape())
      .Member("ReturnValues", return_values)
      .Member("ReturnValuesOnConditionCheckFailure", on_failure);
}

}  // namespace sluice::broker::dynamodb
