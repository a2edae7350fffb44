// Check, count, change, reload.
#include "broker/api/kinesis/stream_encryption.h"

#include <fmt/format.h>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/log.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

constexpr std::size_t kCallsMax = 25;
constexpr std::int64_t kDayMs = 24ll * 3600 * 1000;

/// Counts a call at `now_ms`; the answer where there were as many as may be.
Refusal CountCall(const EncryptionOperation& operation, std::int64_t now_ms, const aws::Caller& caller,
                  StreamInfo& stream) {
  std::vector<std::int64_t>& calls_ms = stream.kinesis.*operation.calls_ms;
  std::erase_if(calls_ms, [&](std::int64_t ms) { return now_ms - ms >= kDayMs; });
  if (calls_ms.size() >= kCallsMax) {
    return ApiError("LimitExceededException",
                    fmt::format("{} has been called {} times in the last 24 hours for stream {} under account {}.",
                                operation.name, kCallsMax, stream.name, caller.account));
  }
  calls_ms.push_back(now_ms);
  return std::nullopt;
}

}  // namespace

const Shape& EncryptionInputShape() {
  static const Shape type = Shape::Text().OneOf({"NONE", "KMS"});
  static const Shape key_id = Shape::Text().Length(1, 2'048);
  static const Shape shape =
      StreamInputShape().Member("EncryptionType", type, Required::kYes).Member("KeyId", key_id, Required::kYes);
  return shape;
}

ApiResult<std::string> ChangeEncryption(const Context& context, const aws::Call& call,
                                        const EncryptionOperation& operation, const StreamChange& change) {
  if (TextOf(call, "EncryptionType") != "KMS") {
    return std::unexpected(InvalidArgument(
        fmt::format("EncryptionType NONE is not valid for {}; the only valid value is KMS.", operation.name)));
  }
  const auto changed = ChangeStream(context, call, FindStream(context, call), [&](StreamInfo& stream) -> Refusal {
    Refusal refusal;
    if (context.parts.options.call_limits) {
      refusal = CountCall(operation, context.parts.clock.WallMs(), call.caller(), stream);
    }
    return refusal ? refusal : change(stream);
  });
  if (!changed) return std::unexpected(changed.error());
  context.parts.keyring.Reload((*changed)->id);
  log::Info("encryption changed", {{"stream", (*changed)->name}, {"encrypted", (*changed)->encryption.on}});
  return NoBody(changed);
}

}  // namespace sluice::broker::kinesis
