// UpdateTimeToLive and DescribeTimeToLive: kept and told. Nothing expires.
#include <fmt/format.h>

#include "broker/api/dynamodb/arguments.h"
#include "broker/api/dynamodb/handlers/operations.h"

namespace sluice::broker::dynamodb {
namespace {

using protocol::aws::Required;
using protocol::aws::Shape;

const Shape& UpdateInput() {
  static const Shape specification = Shape::Structure()
                                         .Member("Enabled", BooleanShape(), Required::kYes)
                                         .Member("AttributeName", TextShape(), Required::kYes);
  static const Shape shape = TableInputShape().Member("TimeToLiveSpecification", specification, Required::kYes);
  return shape;
}

const Shape& DescribeInput() {
  static const Shape shape = TableInputShape();
  return shape;
}

ApiResult<std::string> HandleUpdate(TableStore& store, const aws::Call& call) {
  const auto specification = *call.input().Find("TimeToLiveSpecification");
  const bool enabled = IsTrue(specification, "Enabled");
  const std::string attribute(TextOf(specification, "AttributeName"));
  const auto table =
      store.Change(TableNameOf(TextOf(call.input(), "TableName")), [&](TableInfo& info) -> ApiResult<void> {
        if (enabled == !info.ttl_attribute.empty()) {
          return std::unexpected(Validation(fmt::format("TimeToLive is already {}", enabled ? "enabled" : "disabled")));
        }
        info.ttl_attribute = enabled ? attribute : "";
        return {};
      });
  if (!table) return std::unexpected(table.error());
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("TimeToLiveSpecification").BeginMap();
  writer->Name("Enabled").Boolean(enabled);
  writer->Name("AttributeName").Text(attribute);
  writer->EndMap();
  writer->EndMap();
  return writer->Take();
}

ApiResult<std::string> HandleDescribe(TableStore& store, const aws::Call& call) {
  const std::string_view name = TableNameOf(TextOf(call.input(), "TableName"));
  const TablePtr table = store.Find(name);
  if (table == nullptr) return std::unexpected(TableNotFound(name));
  const auto info = table->info();
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("TimeToLiveDescription").BeginMap();
  writer->Name("TimeToLiveStatus").Text(info->ttl_attribute.empty() ? "DISABLED" : "ENABLED");
  if (!info->ttl_attribute.empty()) writer->Name("AttributeName").Text(info->ttl_attribute);
  writer->EndMap();
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation UpdateTimeToLive(TableStore& store) {
  return Blocking("UpdateTimeToLive", UpdateInput, store, HandleUpdate);
}
aws::Operation DescribeTimeToLive(TableStore& store) {
  return Blocking("DescribeTimeToLive", DescribeInput, store, HandleDescribe);
}

}  // namespace sluice::broker::dynamodb
