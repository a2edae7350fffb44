// The operations, one file each; dynamodb_service.cc has the table of them.
//
// Each function gives its operation: name, input, thread, and what it does, which holds on to `store`.
#pragma once

#include <string>

#include "broker/api/aws/operation.h"
#include "broker/api/dynamodb/table_store.h"

namespace sluice::broker::dynamodb {

/// An operation on a thread that may block, which has its answer when it returns.
template <typename Handler>
aws::Operation Blocking(std::string_view name, const protocol::aws::Shape& (*input)(), TableStore& store,
                        Handler handler) {
  auto run = [&store, handler](const aws::CallPtr& call) {
    ApiResult<std::string> answer = handler(store, *call);
    if (answer) return call->Answer(std::move(*answer));
    call->Fail(std::move(answer.error()));
  };
  return {.name = name, .input = input, .run = run, .thread = aws::OperationThread::kBlocking};
}

aws::Operation CreateTable(TableStore& store);
aws::Operation DeleteItem(TableStore& store);
aws::Operation DeleteTable(TableStore& store);
aws::Operation DescribeContinuousBackups(TableStore& store);
aws::Operation DescribeTable(TableStore& store);
aws::Operation DescribeTimeToLive(TableStore& store);
aws::Operation GetItem(TableStore& store);
aws::Operation ListTables(TableStore& store);
aws::Operation ListTagsOfResource(TableStore& store);
aws::Operation PutItem(TableStore& store);
aws::Operation Query(TableStore& store);
aws::Operation Scan(TableStore& store);
aws::Operation TagResource(TableStore& store);
aws::Operation TransactWriteItems(TableStore& store);
aws::Operation UntagResource(TableStore& store);
aws::Operation UpdateContinuousBackups(TableStore& store);
aws::Operation UpdateItem(TableStore& store);
aws::Operation UpdateTable(TableStore& store);
aws::Operation UpdateTimeToLive(TableStore& store);

}  // namespace sluice::broker::dynamodb
