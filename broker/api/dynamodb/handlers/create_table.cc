// CreateTable: the table is ACTIVE when the answer comes.
#include <algorithm>

#include "broker/api/dynamodb/arguments.h"
#include "broker/api/dynamodb/handlers/operations.h"
#include "broker/api/dynamodb/table_description.h"
#include "broker/log.h"

namespace sluice::broker::dynamodb {
namespace {

using protocol::aws::Required;
using protocol::aws::Shape;

constexpr std::size_t kNameMin = 3;
constexpr std::size_t kNameMax = 255;

const Shape& Input() {
  static const Shape billing = Shape::Text().OneOf({"PROVISIONED", "PAY_PER_REQUEST"});
  static const Shape list = Shape::List(AnyShape());
  static const Shape shape = TableInputShape()
                                 .Member("AttributeDefinitions", list)
                                 .Member("KeySchema", list, Required::kYes)
                                 .Member("GlobalSecondaryIndexes", list)
                                 .Member("LocalSecondaryIndexes", list)
                                 .Member("BillingMode", billing)
                                 .Member("ProvisionedThroughput", MapShape())
                                 .Member("DeletionProtectionEnabled", BooleanShape())
                                 .Member("Tags", list);
  return shape;
}

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

ApiResult<void> CheckTable(const TableInfo& table) {
  if (table.name.size() < kNameMin || table.name.size() > kNameMax) {
    return std::unexpected(Validation("TableName must be at least 3 characters long and at most 255 characters long"));
  }
  if (!std::ranges::all_of(table.name, IsNameCharacter)) {
    return std::unexpected(Validation("TableName has characters other than a-z, A-Z, 0-9, '_', '-' and '.'"));
  }
  if (table.on_demand == (table.throughput.read_units == 0)) return {};
  return std::unexpected(InvalidParameter(
      table.on_demand
          ? "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
          : "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"));
}

ApiResult<std::string> Handle(TableStore& store, const aws::Call& call) {
  auto info = ReadTable(call.input());
  if (!info) return std::unexpected(std::move(info.error()));
  info->name = TableNameOf(info->name);
  info->ttl_attribute.clear();  // what only the kept form has
  info->recovery = false;
  if (auto good = CheckTable(*info); !good) return std::unexpected(std::move(good.error()));
  const auto table = store.Create(std::move(*info));
  if (!table) return std::unexpected(table.error());
  log::Info("dynamodb table created", {{"table", (*table)->info()->name}});
  return DescriptionAnswer(call, "TableDescription", **table);
}

}  // namespace

aws::Operation CreateTable(TableStore& store) { return Blocking("CreateTable", Input, store, Handle); }

}  // namespace sluice::broker::dynamodb
