// The members that tell a stream's mode, and warm throughput.
#include "broker/api/kinesis/stream_mode.h"

#include <fmt/format.h>

#include <cstdint>

#include "broker/api/kinesis/stream_argument.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

const Shape& StreamModeShape() {
  static const Shape mode = Shape::Text().OneOf({"PROVISIONED", "ON_DEMAND"});
  static const Shape shape = Shape::Structure().Member("StreamMode", mode, Required::kYes);
  return shape;
}

const Shape& WarmThroughputShape() {
  static const Shape shape = Shape::Integer().Range(0, INT32_MAX);
  return shape;
}

bool IsOnDemand(const aws::Call& call) {
  const auto details = call.input().Find("StreamModeDetails");
  const auto mode = details ? details->Find("StreamMode") : std::nullopt;
  return mode && mode->text() == "ON_DEMAND";
}

std::optional<ApiError> CheckWarmThroughput(const aws::Call& call, bool on_demand) {
  if (!IntegerOf(call, "WarmThroughputMiBps")) return std::nullopt;
  if (!on_demand) {
    return ApiError("ValidationException",
                    "WarmThroughputMiBps cannot be set while creating stream in Provisioned StreamMode");
  }
  return ApiError(
      "ValidationException",
      fmt::format("Account {} is not enabled for minimum throughput billing commitment", call.caller().account));
}

}  // namespace sluice::broker::kinesis
