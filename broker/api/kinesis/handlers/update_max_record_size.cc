// UpdateMaxRecordSize: how large a record put through this API may be, from the next one on.
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"

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
  const auto found = FindStream(context, call);
  if (!found) return std::unexpected(found.error());
  const auto kib = static_cast<std::uint32_t>(*IntegerOf(call, "MaxRecordSizeInKiB"));
  const auto changed = context.parts.catalog.Change((*found)->name, [&](StreamInfo& stream) {
    stream.kinesis.record_kib_max = kib;
    return Status();
  });
  if (!changed) return std::unexpected(FromStatus(changed.error(), (*found)->name, call.caller()));
  return std::string();
}

}  // namespace

aws::Operation UpdateMaxRecordSize(const Context& context) {
  return {"UpdateMaxRecordSize", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
