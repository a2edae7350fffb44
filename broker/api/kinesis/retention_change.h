// What IncreaseStreamRetentionPeriod and DecreaseStreamRetentionPeriod share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "broker/api/kinesis/context.h"
#include "protocol/aws/shape.h"

namespace sluice::broker::kinesis {

const protocol::aws::Shape& RetentionInputShape();

/// Whether the stream may go from `current` hours to `asked`: the error where it may not.
using RetentionCheck = std::optional<protocol::aws::ApiError> (*)(std::int64_t asked, std::int64_t current,
                                                                  const std::string& stream);

/// Sets the call's RetentionPeriodHours where `check` allows it; what is set already stays as it is.
ApiResult<std::string> ChangeRetention(const Context& context, const aws::Call& call, RetentionCheck check);

}  // namespace sluice::broker::kinesis
