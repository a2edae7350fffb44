// UpdateStreamMode: what the stream tells of its mode. Its shards stay as they are, in either.
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
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
  const auto found = FindStream(context, call);
  if (!found) return std::unexpected(found.error());
  const bool on_demand = IsOnDemand(call);
  if (auto wrong = CheckWarmThroughput(call, on_demand)) return std::unexpected(std::move(*wrong));
  const auto changed = context.parts.catalog.Change((*found)->name, [&](StreamInfo& stream) {
    stream.kinesis.on_demand = on_demand;
    return Status();
  });
  if (!changed) return std::unexpected(FromStatus(changed.error(), (*found)->name, call.caller()));
  return std::string();
}

}  // namespace

aws::Operation UpdateStreamMode(const Context& context) {
  return {"UpdateStreamMode", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
