// IncreaseStreamRetentionPeriod: keeps records longer, from now on. What has expired does not come back.
#include <fmt/format.h>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/retention_change.h"
#include "broker/api/kinesis/stream_text.h"

namespace sluice::broker::kinesis {
namespace {

std::optional<protocol::aws::ApiError> Check(std::int64_t asked, std::int64_t current, const std::string& stream) {
  if (asked < kRetentionHoursMin) {
    return InvalidArgument(
        fmt::format("Minimum allowed retention period is {} hours. Requested retention period ({} hours) is too short.",
                    kRetentionHoursMin, asked));
  }
  if (asked > kRetentionHoursMax) {
    return InvalidArgument(
        fmt::format("Maximum allowed retention period is {} hours. Requested retention period ({} hours) is too long.",
                    kRetentionHoursMax, asked));
  }
  if (asked >= current) return std::nullopt;
  return InvalidArgument(
      fmt::format("Requested retention period ({} hours) for stream {} can not be shorter than existing retention "
                  "period ({} hours). Use DecreaseRetentionPeriod API.",
                  asked, stream, current));
}

}  // namespace

aws::Operation IncreaseStreamRetentionPeriod(const Context& context) {
  return {
      "IncreaseStreamRetentionPeriod", RetentionInputShape,
      Answering(context, [](const Context& with, const aws::Call& call) { return ChangeRetention(with, call, Check); }),
      aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
