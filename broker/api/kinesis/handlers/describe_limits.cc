// DescribeLimits: how many shards and on-demand streams there are. Where the broker has no limit on them it tells the
// largest number that the API has.
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shard_limit.h"
#include "broker/api/kinesis/stream_mode.h"

namespace sluice::broker::kinesis {
namespace {

constexpr std::int64_t kNoLimit = 1'000'000;

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = protocol::aws::Shape::Structure();
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const std::int64_t shards_max = context.parts.options.shards_max;
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("ShardLimit").Integer(shards_max == 0 ? kNoLimit : shards_max);
  writer->Name("OpenShardCount").Integer(OpenShards(context));
  writer->Name("OnDemandStreamCount").Integer(OnDemandStreams(context));
  writer->Name("OnDemandStreamCountLimit").Integer(context.parts.options.call_limits ? kOnDemandStreamsMax : kNoLimit);
  writer->EndMap();
  return writer->Take();
}

}  // namespace

// On the blocking pool, as there may be very many streams.
aws::Operation DescribeLimits(const Context& context) {
  return {"DescribeLimits", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
