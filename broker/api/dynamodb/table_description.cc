// Everything is ACTIVE at once: there is nothing to wait for.
#include "broker/api/dynamodb/table_description.h"

#include <fmt/format.h>

namespace sluice::broker::dynamodb {
namespace {

namespace api = protocol::aws;

void WriteThroughput(api::Writer& writer, const Throughput& throughput) {
  writer.Name("ProvisionedThroughput").BeginMap();
  writer.Name("NumberOfDecreasesToday").Integer(0);
  writer.Name("ReadCapacityUnits").Integer(throughput.read_units);
  writer.Name("WriteCapacityUnits").Integer(throughput.write_units);
  writer.EndMap();
}

void WriteIndexes(api::Writer& writer, const Table& table, const TableInfo& info, const std::string& table_arn) {
  if (info.indexes.empty()) return;
  const Table::Size size = table.size();
  writer.Name("GlobalSecondaryIndexes").BeginList();
  for (const IndexInfo& index : info.indexes) {
    writer.BeginMap();
    writer.Name("IndexName").Text(index.name);
    WriteKeys(writer, index.keys);
    WriteProjection(writer, index);
    writer.Name("IndexStatus").Text("ACTIVE");
    WriteThroughput(writer, index.throughput);
    writer.Name("IndexSizeBytes").Integer(static_cast<std::int64_t>(size.bytes));
    writer.Name("ItemCount").Integer(static_cast<std::int64_t>(size.items));
    writer.Name("IndexArn").Text(fmt::format("{}/index/{}", table_arn, index.name));
    writer.EndMap();
  }
  writer.EndList();
}

void WriteDescription(api::Writer& writer, const Table& table, const aws::Caller& caller, std::string_view status) {
  const auto info = table.info();
  const Table::Size size = table.size();
  const std::string arn = TableArn(info->name, caller.region, caller.account);
  writer.BeginMap();
  WriteAttributes(writer, info->attributes);
  writer.Name("TableName").Text(info->name);
  WriteKeys(writer, info->keys);
  writer.Name("TableStatus").Text(status);
  writer.Name("CreationDateTime").Timestamp(info->created_ms);
  WriteThroughput(writer, info->throughput);
  writer.Name("TableSizeBytes").Integer(static_cast<std::int64_t>(size.bytes));
  writer.Name("ItemCount").Integer(static_cast<std::int64_t>(size.items));
  writer.Name("TableArn").Text(arn);
  writer.Name("TableId").Text(info->id);
  if (info->on_demand) {
    writer.Name("BillingModeSummary").BeginMap();
    writer.Name("BillingMode").Text("PAY_PER_REQUEST");
    writer.EndMap();
  }
  WriteIndexes(writer, table, *info, arn);
  writer.Name("DeletionProtectionEnabled").Boolean(info->deletion_protection);
  writer.EndMap();
}

}  // namespace

std::string DescriptionAnswer(const aws::Call& call, std::string_view member, const Table& table,
                              std::string_view status) {
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name(member);
  WriteDescription(*writer, table, call.caller(), status);
  writer->EndMap();
  return writer->Take();
}

}  // namespace sluice::broker::dynamodb
