// UpdateStreamRecordDistributionStrategy: whether partition keys choose the shards of an on-demand stream's records, or
// the broker does.
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_change.h"
#include "broker/api/kinesis/stream_mode.h"

namespace sluice::broker::kinesis {

using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

constexpr std::string_view kMember = "RecordDistributionStrategy";

const Shape& Input() {
  static const Shape shape = StreamInputShape().Member(kMember, DistributionShape(), Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto changed = ChangeStream(context, call, FindStream(context, call), [&](StreamInfo& stream) -> Refusal {
    return SetDistribution(call, stream.name, stream.kinesis);
  });
  if (!changed) return std::unexpected(changed.error());
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("StreamARN").Text(StreamArn((*changed)->name, call.caller()));
  writer->Name("StreamName").Text((*changed)->name);
  writer->Name(kMember).Text(DistributionOf((*changed)->kinesis));
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation UpdateStreamRecordDistributionStrategy(const Context& context) {
  return {"UpdateStreamRecordDistributionStrategy", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
