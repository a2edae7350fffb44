// UpdateShardCount: splits and merges until there are as many open shards as are asked for, with equal ranges. In force
// with the answer; a stream that has the number already is left as it is, whatever its ranges.
#include <fmt/format.h>

#include "broker/api/kinesis/daily_calls.h"
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/reshard_errors.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/shard_limit.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_change.h"

namespace sluice::broker::kinesis {
namespace {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

const Shape& Input() {
  static const Shape scaling = Shape::Text().OneOf({"UNIFORM_SCALING"});
  static const Shape shape = StreamInputShape()
                                 .Member("TargetShardCount", PositiveIntegerShape(), Required::kYes)
                                 .Member("ScalingType", scaling, Required::kYes);
  return shape;
}

constexpr DailyLimit kDaily{"UpdateShardCount", 10, &KinesisSettings::resizes_ms};

/// To double the number at most, and to half of it (three to one too) at least.
std::optional<ApiError> CheckTarget(std::int64_t target, std::int64_t current) {
  if (target > 2 * current) {
    return InvalidArgument(
        fmt::format("UpdateShardCount cannot scale up over double your current open shard count. "
                    "Current open shard count: {} Target shard count: {}",
                    current, target));
  }
  if (target < current / 2) {
    return InvalidArgument(
        fmt::format("UpdateShardCount cannot scale down below half your current open shard count. "
                    "Current open shard count: {} Target shard count: {}",
                    current, target));
  }
  if (target <= std::int64_t{StreamCatalog::kShardsMax}) return std::nullopt;
  return ApiError("LimitExceededException", fmt::format("A stream can have at most {} shards. Target shard count: {}",
                                                        std::int64_t{StreamCatalog::kShardsMax}, target));
}

/// Before the resize, which is several changes of the stream: one that fails on its way was a call.
Refusal CountCall(const Context& context, const aws::Call& call, const StreamPtr& stream) {
  if (!context.parts.options.call_limits) return std::nullopt;
  const auto counted =
      ChangeAtOnce(context, call, stream, [&](StreamInfo& now) { return CountDailyCall(context, call, kDaily, now); });
  return counted ? Refusal() : counted.error();
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto stream = FindReshardable(context, call);
  if (!stream) return std::unexpected(stream.error());
  const std::string& name = (*stream)->name;
  const auto current = static_cast<std::int64_t>((*stream)->shards.ranges().size());
  const std::int64_t target = *IntegerOf(call, "TargetShardCount");
  if (auto wrong = CheckTarget(target, current)) return std::unexpected(std::move(*wrong));
  if (target != current) {
    if (auto limit = CheckShardLimit(context, call.caller(), target - current)) {
      return std::unexpected(std::move(*limit));
    }
    if (auto refusal = CountCall(context, call, *stream)) return std::unexpected(std::move(*refusal));
    const auto resized = context.parts.resharder.Resize(name, static_cast<std::uint32_t>(target));
    if (!resized) return std::unexpected(ReshardError(resized.error(), name, call.caller()));
    context.lifecycle->Changed(*stream);
  }
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("StreamName").Text(name);
  writer->Name("CurrentShardCount").Integer(current);
  writer->Name("TargetShardCount").Integer(target);
  writer->Name("StreamARN").Text(StreamArn(name, call.caller()));
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation UpdateShardCount(const Context& context) {
  return {"UpdateShardCount", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
