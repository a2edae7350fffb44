// Calls of more than a day ago go with the next one.
#include "broker/api/kinesis/daily_calls.h"

#include <fmt/format.h>

namespace sluice::broker::kinesis {
namespace {

constexpr std::int64_t kDayMs = 24ll * 3600 * 1000;

}  // namespace

Refusal CountDailyCall(const Context& context, const aws::Call& call, const DailyLimit& limit, StreamInfo& stream) {
  if (!context.parts.options.call_limits) return std::nullopt;
  const std::int64_t now_ms = context.parts.clock.WallMs();
  std::vector<std::int64_t>& calls_ms = stream.kinesis.*limit.calls_ms;
  std::erase_if(calls_ms, [&](std::int64_t ms) { return now_ms - ms >= kDayMs; });
  if (calls_ms.size() >= limit.calls_max) {
    return protocol::aws::ApiError(
        "LimitExceededException",
        fmt::format("{} has been called {} times in the last 24 hours for stream {} under account {}.", limit.operation,
                    limit.calls_max, stream.name, call.caller().account));
  }
  calls_ms.push_back(now_ms);
  return std::nullopt;
}

}  // namespace sluice::broker::kinesis
