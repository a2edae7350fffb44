// UpdateStreamMode: from then on the stream grows by load, or by calls. Its shards stay as they are.
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_change.h"
#include "broker/api/kinesis/stream_mode.h"

namespace sluice::broker::kinesis {
namespace {

using protocol::aws::Required;
using protocol::aws::Shape;

const Shape& Input() {
  static const Shape shape = Shape::Structure()
                                 .Member("StreamARN", StreamArnShape(), Required::kYes)
                                 .Member("StreamModeDetails", StreamModeShape(), Required::kYes)
                                 .Member("WarmThroughputMiBps", WarmThroughputShape());
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  return NoBody(ChangeStream(context, call, FindStream(context, call), [&](StreamInfo& stream) {
    stream.kinesis.on_demand = IsOnDemand(call);
    if (!stream.kinesis.on_demand) stream.kinesis.auto_distribution = false;
    return SetWarmThroughput(context, call, stream.kinesis);
  }));
}

}  // namespace

aws::Operation UpdateStreamMode(const Context& context) {
  return {"UpdateStreamMode", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
