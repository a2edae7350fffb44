// UpdateTable: billing, throughput, protection against deletion, and global secondary indexes, which are there at once.
#include <fmt/format.h>

#include <algorithm>

#include "broker/api/dynamodb/arguments.h"
#include "broker/api/dynamodb/handlers/operations.h"
#include "broker/api/dynamodb/table_description.h"

namespace sluice::broker::dynamodb {
namespace {

using protocol::aws::Kind;
using protocol::aws::Shape;
using protocol::aws::Value;

const Shape& Input() {
  static const Shape billing = Shape::Text().OneOf({"PROVISIONED", "PAY_PER_REQUEST"});
  static const Shape list = Shape::List(MapShape());
  static const Shape shape = TableInputShape()
                                 .Member("AttributeDefinitions", list)
                                 .Member("BillingMode", billing)
                                 .Member("ProvisionedThroughput", MapShape())
                                 .Member("GlobalSecondaryIndexUpdates", list)
                                 .Member("DeletionProtectionEnabled", BooleanShape());
  return shape;
}

/// The named member of one update of an index, where it has it.
std::optional<Value> ActionOf(Value update, std::string_view name) {
  const auto action = update.Find(name);
  return action && action->kind() == Kind::kMap ? action : std::nullopt;
}

ApiResult<void> ChangeIndex(Value update, TableInfo& table) {
  if (const auto create = ActionOf(update, "Create")) {
    auto index = ReadIndex(*create, table.attributes);
    if (!index) return std::unexpected(std::move(index.error()));
    if (table.FindIndex(index->name) != nullptr) {
      return std::unexpected(
          Validation(fmt::format("Attempting to create an index which already exists: {}", index->name)));
    }
    table.indexes.push_back(std::move(*index));
    return {};
  }
  const auto gone = ActionOf(update, "Delete");
  const auto changed = ActionOf(update, "Update");
  if (!gone && !changed) return {};
  const std::string_view name = TextOf(gone ? *gone : *changed, "IndexName");
  const auto index = std::ranges::find(table.indexes, name, &IndexInfo::name);
  if (index == table.indexes.end()) {
    return std::unexpected(TableNotFound());
  }
  if (gone) {
    table.indexes.erase(index);
    return {};
  }
  const auto throughput = ReadThroughput(*changed);
  if (!throughput) return std::unexpected(throughput.error());
  index->throughput = *throughput;
  return {};
}

ApiResult<void> ChangeTable(Value input, TableInfo& table) {
  if (auto read = ReadAttributes(input, table.attributes); !read) return read;
  const std::string_view billing = TextOf(input, "BillingMode");
  if (!billing.empty()) table.on_demand = billing == "PAY_PER_REQUEST";
  const auto throughput = ReadThroughput(input);
  if (!throughput) return std::unexpected(throughput.error());
  if (input.Find("ProvisionedThroughput")) table.throughput = *throughput;
  if (table.on_demand) table.throughput = {};
  if (input.Find("DeletionProtectionEnabled")) table.deletion_protection = IsTrue(input, "DeletionProtectionEnabled");
  const auto updates = input.Find("GlobalSecondaryIndexUpdates");
  if (!updates) return {};
  for (const auto [unnamed, update] : updates->children()) {
    if (update.kind() != Kind::kMap) continue;
    if (auto changed = ChangeIndex(update, table); !changed) return changed;
  }
  return {};
}

ApiResult<std::string> Handle(TableStore& store, const aws::Call& call) {
  const auto table = store.Change(TableNameOf(TextOf(call.input(), "TableName")),
                                  [&](TableInfo& info) { return ChangeTable(call.input(), info); });
  if (!table) return std::unexpected(table.error());
  return DescriptionAnswer(call, "TableDescription", **table);
}

}  // namespace

aws::Operation UpdateTable(TableStore& store) { return Blocking("UpdateTable", Input, store, Handle); }

}  // namespace sluice::broker::dynamodb
