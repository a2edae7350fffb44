// One conditional change of the stream: the check sees what the change replaces.
#include "broker/api/kinesis/retention_change.h"

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_text.h"
#include "broker/log.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

const Shape& RetentionInputShape() {
  static const Shape shape = StreamInputShape().Member("RetentionPeriodHours", IntegerShape(), Required::kYes);
  return shape;
}

ApiResult<std::string> ChangeRetention(const Context& context, const aws::Call& call, RetentionCheck check) {
  const auto found = FindStream(context, call);
  if (!found) return std::unexpected(found.error());
  const std::string& name = (*found)->name;
  const std::int64_t asked = *IntegerOf(call, "RetentionPeriodHours");
  std::optional<ApiError> wrong;
  const auto changed = context.parts.catalog.Change(name, [&](StreamInfo& stream) {
    const std::int64_t current = RetentionHours(stream);
    wrong = check(asked, current, name);
    if (wrong) return Status(Code::kInvalidArgument, wrong->message);
    if (asked != current) stream.retention.age_ms = asked * kHourMs;
    return Status();
  });
  if (wrong) return std::unexpected(std::move(*wrong));
  if (!changed) return std::unexpected(FromStatus(changed.error(), name, call.caller()));
  log::Info("retention changed", {{"stream", name}, {"hours", asked}});
  return std::string();
}

}  // namespace sluice::broker::kinesis
