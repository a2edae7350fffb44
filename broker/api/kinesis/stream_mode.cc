// The members that tell a stream's mode, warm throughput and record distribution strategy.
#include "broker/api/kinesis/stream_mode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "broker/api/kinesis/account_settings.h"
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/stream_argument.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

constexpr std::int64_t kWarmMibpsMax = 10'240;
constexpr std::string_view kAuto = "AUTO";
constexpr std::string_view kByKey = "USER_PARTITION_KEY";

}  // namespace

const Shape& StreamModeShape() {
  static const Shape mode = Shape::Text().OneOf({"PROVISIONED", "ON_DEMAND"});
  static const Shape shape = Shape::Structure().Member("StreamMode", mode, Required::kYes);
  return shape;
}

const Shape& WarmThroughputShape() {
  static const Shape shape = Shape::Integer().Range(0, INT32_MAX);
  return shape;
}

const Shape& DistributionShape() {
  static const Shape shape = Shape::Text().OneOf({kAuto, kByKey});
  return shape;
}

bool IsOnDemand(const aws::Call& call) {
  const auto details = call.input().Find("StreamModeDetails");
  const auto mode = details ? details->Find("StreamMode") : std::nullopt;
  return mode && mode->text() == "ON_DEMAND";
}

std::int64_t OnDemandStreams(const Context& context) {
  return std::ranges::count_if(context.parts.catalog.List(),
                               [](const StreamPtr& stream) { return stream->kinesis.on_demand; });
}

std::optional<ApiError> CheckOnDemandLimit(const Context& context, const aws::Caller& caller) {
  if (!context.parts.options.call_limits) return std::nullopt;
  const std::int64_t streams = OnDemandStreams(context);
  if (streams < kOnDemandStreamsMax) return std::nullopt;
  return ApiError(
      "LimitExceededException",
      fmt::format("Account {} has {} streams in on-demand mode, and may have no more.", caller.account, streams));
}

std::optional<ApiError> SetWarmThroughput(const Context& context, const aws::Call& call, KinesisSettings& settings) {
  if (!settings.on_demand) settings.warm_mibps = 0;
  const auto asked = IntegerOf(call, "WarmThroughputMiBps");
  if (!asked) return std::nullopt;
  if (!settings.on_demand) {
    return ApiError("ValidationException",
                    "WarmThroughputMiBps cannot be set while creating stream in Provisioned StreamMode");
  }
  const auto commitment = LoadCommitment(context.parts.metadata, call.caller().account);
  if (!commitment) return InternalFailure(commitment.error());
  if (!commitment->IsOn(context.parts.clock.WallMs())) {
    return ApiError(
        "ValidationException",
        fmt::format("Account {} is not enabled for minimum throughput billing commitment", call.caller().account));
  }
  if (*asked > kWarmMibpsMax) {
    return ApiError(
        "LimitExceededException",
        fmt::format("A stream has at most {} MiB/s of warm throughput, and {} were asked for.", kWarmMibpsMax, *asked));
  }
  settings.warm_mibps = static_cast<std::uint32_t>(*asked);
  return std::nullopt;
}

std::optional<ApiError> SetDistribution(const aws::Call& call, std::string_view stream, KinesisSettings& settings) {
  const std::string_view strategy = TextOf(call, "RecordDistributionStrategy");
  if (strategy.empty()) return std::nullopt;
  if (strategy == kAuto && !settings.on_demand) {
    return InvalidArgument(
        fmt::format("RecordDistributionStrategy AUTO is for streams in on-demand mode, and stream {} under account {} "
                    "is in another one.",
                    stream, call.caller().account));
  }
  settings.auto_distribution = strategy == kAuto;
  return std::nullopt;
}

std::string_view DistributionOf(const KinesisSettings& settings) { return settings.auto_distribution ? kAuto : kByKey; }

void WriteWarmThroughput(protocol::aws::Writer& writer, const KinesisSettings& settings) {
  writer.Name("WarmThroughput").BeginMap();
  writer.Name("TargetMiBps").Integer(settings.warm_mibps);
  writer.Name("CurrentMiBps").Integer(settings.warm_mibps);
  writer.EndMap();
}

}  // namespace sluice::broker::kinesis
