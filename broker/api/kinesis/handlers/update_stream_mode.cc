// UpdateStreamMode: from then on the stream grows by load, or by calls. Its shards stay as they are.
#include "broker/api/kinesis/daily_calls.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_change.h"
#include "broker/api/kinesis/stream_mode.h"

namespace sluice::broker::kinesis {
namespace {

using protocol::aws::Required;
using protocol::aws::Shape;

constexpr DailyLimit kDaily{"UpdateStreamMode", 2, &KinesisSettings::mode_switches_ms};

const Shape& Input() {
  static const Shape shape = Shape::Structure()
                                 .Member("StreamARN", StreamArnShape(), Required::kYes)
                                 .Member("StreamModeDetails", StreamModeShape(), Required::kYes)
                                 .Member("WarmThroughputMiBps", WarmThroughputShape());
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const bool on_demand = IsOnDemand(call);
  return NoBody(ChangeStream(context, call, FindStream(context, call), [&](StreamInfo& stream) -> Refusal {
    if (on_demand != stream.kinesis.on_demand) {
      if (auto refusal = CountDailyCall(context, call, kDaily, stream)) return refusal;
      if (on_demand) {
        if (auto limit = CheckOnDemandLimit(context, call.caller())) return limit;
      }
    }
    stream.kinesis.on_demand = on_demand;
    if (!stream.kinesis.on_demand) stream.kinesis.auto_distribution = false;
    return SetWarmThroughput(context, call, stream.kinesis);
  }));
}

}  // namespace

aws::Operation UpdateStreamMode(const Context& context) {
  return {"UpdateStreamMode", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
