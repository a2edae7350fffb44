// ListTables: names in order, a hundred at a time unless less are asked for.
#include "broker/api/dynamodb/arguments.h"
#include "broker/api/dynamodb/handlers/operations.h"

namespace sluice::broker::dynamodb {
namespace {

using protocol::aws::Shape;

constexpr std::int64_t kPageMax = 100;

const Shape& Input() {
  static const Shape limit = Shape::Integer().Range(1, kPageMax);
  static const Shape shape = Shape::Structure().Member("ExclusiveStartTableName", TextShape()).Member("Limit", limit);
  return shape;
}

ApiResult<std::string> Handle(TableStore& store, const aws::Call& call) {
  const auto limit = static_cast<std::size_t>(IntegerOf(call.input(), "Limit").value_or(kPageMax));
  const std::string_view start = TextOf(call.input(), "ExclusiveStartTableName");
  std::vector<std::string> names;
  for (const TablePtr& table : store.List()) {
    const std::string& name = table->info()->name;
    if (name > start && names.size() <= limit) names.push_back(name);
  }
  const bool more = names.size() > limit;
  if (more) names.resize(limit);
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("TableNames").BeginList();
  for (const std::string& name : names) writer->Text(name);
  writer->EndList();
  if (more) writer->Name("LastEvaluatedTableName").Text(names.back());
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation ListTables(TableStore& store) { return Blocking("ListTables", Input, store, Handle); }

}  // namespace sluice::broker::dynamodb
