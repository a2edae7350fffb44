// EnableEnhancedMonitoring: adds to the metrics of shards that the stream is asked for.
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shard_metrics.h"

namespace sluice::broker::kinesis {
namespace {

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  return ChangeShardMetrics(context, call, [](std::uint32_t current, std::uint32_t named) { return current | named; });
}

}  // namespace

aws::Operation EnableEnhancedMonitoring(const Context& context) {
  return {"EnableEnhancedMonitoring", ShardMetricsInputShape, Answering(context, Handle),
          aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
