// The table of operations. The tables live as long as any of them.
#include "broker/api/dynamodb/dynamodb_service.h"

#include <memory>
#include <utility>

#include "broker/api/dynamodb/handlers/operations.h"
#include "broker/api/dynamodb/table_store.h"

namespace sluice::broker::dynamodb {
namespace {

std::vector<aws::Operation> Operations(TableStore& store) {
  return {
      CreateTable(store),
      DeleteItem(store),
      DeleteTable(store),
      DescribeContinuousBackups(store),
      DescribeTable(store),
      DescribeTimeToLive(store),
      GetItem(store),
      ListTables(store),
      ListTagsOfResource(store),
      PutItem(store),
      Query(store),
      Scan(store),
      TagResource(store),
      TransactWriteItems(store),
      UntagResource(store),
      UpdateContinuousBackups(store),
      UpdateItem(store),
      UpdateTable(store),
      UpdateTimeToLive(store),
  };
}

}  // namespace

Result<aws::Service> DynamodbService(const DynamodbParts& parts) {
  auto opened = TableStore::Open(parts.metadata, parts.clock, parts.random);
  if (!opened) return Error(opened.error());
  const std::shared_ptr<TableStore> store = std::move(*opened);
  aws::Service service{.target_prefix = "DynamoDB_20120810",
                       .signing_name = "dynamodb",
                       .operations = Operations(*store),
                       .wires = {aws::Wire::kJson10}};
  for (aws::Operation& operation : service.operations) {
    operation.run = [store, run = std::move(operation.run)](aws::CallPtr call) { run(std::move(call)); };
  }
  return service;
}

}  // namespace sluice::broker::dynamodb
