// UpdateMaxRecordSize: how large a record put through this API may be, from the next one on.
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_change.h"

namespace sluice::broker::kinesis {
namespace {

using protocol::aws::Required;
using protocol::aws::Shape;

const Shape& Input() {
  static const Shape shape = Shape::Structure()
                                 .Member("StreamARN", StreamArnShape())
                                 .Member("MaxRecordSizeInKiB", RecordSizeShape(), Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  return NoBody(ChangeStream(context, call, FindStream(context, call), [&](StreamInfo& stream) -> Refusal {
    stream.kinesis.record_kib_max = static_cast<std::uint32_t>(*IntegerOf(call, "MaxRecordSizeInKiB"));
    return std::nullopt;
  }));
}

}  // namespace

aws::Operation UpdateMaxRecordSize(const Context& context) {
  return {"UpdateMaxRecordSize", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
