// DescribeLimits: how many shards and on-demand streams there are. The broker has no limit of its own on them, and
// tells the largest numbers that the API has.
#include "broker/api/kinesis/handlers/operations.h"

namespace sluice::broker::kinesis {
namespace {

constexpr std::int64_t kNoLimit = 1'000'000;

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = protocol::aws::Shape::Structure();
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  std::int64_t shards = 0;
  std::int64_t on_demand = 0;
  for (const StreamPtr& stream : context.parts.catalog.List()) {
    shards += static_cast<std::int64_t>(stream->shards.ranges().size());
    if (stream->kinesis.on_demand) ++on_demand;
  }
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("ShardLimit").Integer(kNoLimit);
  writer->Name("OpenShardCount").Integer(shards);
  writer->Name("OnDemandStreamCount").Integer(on_demand);
  writer->Name("OnDemandStreamCountLimit").Integer(kNoLimit);
  writer->EndMap();
  return writer->Take();
}

}  // namespace

// On the blocking pool, as there may be very many streams.
aws::Operation DescribeLimits(const Context& context) {
  return {"DescribeLimits", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
