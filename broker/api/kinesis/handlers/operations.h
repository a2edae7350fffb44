// The operations, one file each; kinesis_service.cc has the table of them.
//
// Each function gives its operation: name, input, thread, and what it does, which holds on to `context`.
#pragma once

#include <string>

#include "broker/api/kinesis/context.h"

namespace sluice::broker::kinesis {

/// Runs an operation that has its answer when it returns.
template <typename Handler>
std::function<void(aws::CallPtr)> Answering(const Context& context, Handler handler) {
  return [&context, handler](const aws::CallPtr& call) {
    ApiResult<std::string> answer = handler(context, *call);
    if (answer) return call->Answer(std::move(*answer));
    call->Fail(std::move(answer.error()));
  };
}

aws::Operation CreateStream(const Context& context);
aws::Operation DescribeStreamSummary(const Context& context);
aws::Operation GetRecords(const Context& context);
aws::Operation GetShardIterator(const Context& context);
aws::Operation ListShards(const Context& context);
aws::Operation PutRecord(const Context& context);

}  // namespace sluice::broker::kinesis
