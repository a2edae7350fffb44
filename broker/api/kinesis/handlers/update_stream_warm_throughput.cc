// UpdateStreamWarmThroughput: what an on-demand stream tells of its warm throughput, for accounts that have committed
// themselves to a minimum. The broker takes what its disk takes, warm or not.
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
  static const Shape shape = StreamInputShape().Member("WarmThroughputMiBps", WarmThroughputShape(), Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto changed = ChangeStream(context, call, FindStream(context, call), [&](StreamInfo& stream) {
    return SetWarmThroughput(context, call, stream.kinesis);
  });
  if (!changed) return std::unexpected(changed.error());
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("StreamARN").Text(StreamArn((*changed)->name, call.caller()));
  writer->Name("StreamName").Text((*changed)->name);
  WriteWarmThroughput(*writer, (*changed)->kinesis);
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation UpdateStreamWarmThroughput(const Context& context) {
  return {"UpdateStreamWarmThroughput", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
