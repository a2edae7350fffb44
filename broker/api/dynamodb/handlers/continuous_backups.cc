// UpdateContinuousBackups and DescribeContinuousBackups: kept and told. There are no backups.
#include "broker/api/dynamodb/arguments.h"
#include "broker/api/dynamodb/handlers/operations.h"

namespace sluice::broker::dynamodb {
namespace {

using protocol::aws::Required;
using protocol::aws::Shape;

const Shape& UpdateInput() {
  static const Shape specification =
      Shape::Structure().Member("PointInTimeRecoveryEnabled", BooleanShape(), Required::kYes);
  static const Shape shape =
      TableInputShape().Member("PointInTimeRecoverySpecification", specification, Required::kYes);
  return shape;
}

const Shape& DescribeInput() {
  static const Shape shape = TableInputShape();
  return shape;
}

ApiError NotFound(std::string_view table) {
  return {ErrorType("TableNotFoundException"), "Table not found: " + std::string(table)};
}

std::string Description(const aws::Call& call, const TableInfo& info) {
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("ContinuousBackupsDescription").BeginMap();
  writer->Name("ContinuousBackupsStatus").Text("ENABLED");
  writer->Name("PointInTimeRecoveryDescription").BeginMap();
  writer->Name("PointInTimeRecoveryStatus").Text(info.recovery ? "ENABLED" : "DISABLED");
  writer->EndMap();
  writer->EndMap();
  writer->EndMap();
  return writer->Take();
}

ApiResult<std::string> HandleUpdate(TableStore& store, const aws::Call& call) {
  const std::string_view name = TableNameOf(TextOf(call.input(), "TableName"));
  if (store.Find(name) == nullptr) return std::unexpected(NotFound(name));
  const auto specification = *call.input().Find("PointInTimeRecoverySpecification");
  const auto table = store.Change(name, [&](TableInfo& info) -> ApiResult<void> {
    info.recovery = IsTrue(specification, "PointInTimeRecoveryEnabled");
    return {};
  });
  if (!table) return std::unexpected(table.error());
  return Description(call, *(*table)->info());
}

ApiResult<std::string> HandleDescribe(TableStore& store, const aws::Call& call) {
  const std::string_view name = TableNameOf(TextOf(call.input(), "TableName"));
  const TablePtr table = store.Find(name);
  if (table == nullptr) return std::unexpected(NotFound(name));
  return Description(call, *table->info());
}

}  // namespace

aws::Operation UpdateContinuousBackups(TableStore& store) {
  return Blocking("UpdateContinuousBackups", UpdateInput, store, HandleUpdate);
}
aws::Operation DescribeContinuousBackups(TableStore& store) {
  return Blocking("DescribeContinuousBackups", DescribeInput, store, HandleDescribe);
}

}  // namespace sluice::broker::dynamodb
