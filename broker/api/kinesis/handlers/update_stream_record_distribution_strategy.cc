// UpdateStreamRecordDistributionStrategy: whether partition keys choose the shards of an on-demand stream's records, or
// the broker does.
#include <fmt/format.h>

#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_change.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

constexpr std::string_view kMember = "RecordDistributionStrategy";

const Shape& Input() {
  static const Shape strategy = Shape::Text().OneOf({"AUTO", "USER_PARTITION_KEY"});
  static const Shape shape = StreamInputShape().Member(kMember, strategy, Required::kYes);
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const std::string_view strategy = TextOf(call, kMember);
  const auto changed = ChangeStream(context, call, FindStream(context, call), [&](StreamInfo& stream) -> Refusal {
    stream.kinesis.auto_distribution = strategy == "AUTO";
    if (stream.kinesis.on_demand || !stream.kinesis.auto_distribution) return std::nullopt;
    return ApiError("ValidationException",
                    fmt::format("Stream {} under account {} has another StreamMode than ON_DEMAND: its records go "
                                "where their partition keys say.",
                                stream.name, call.caller().account));
  });
  if (!changed) return std::unexpected(changed.error());
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("StreamARN").Text(StreamArn((*changed)->name, call.caller()));
  writer->Name("StreamName").Text((*changed)->name);
  writer->Name(kMember).Text(strategy);
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation UpdateStreamRecordDistributionStrategy(const Context& context) {
  return {"UpdateStreamRecordDistributionStrategy", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
