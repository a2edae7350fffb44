// The check sees what the change replaces.
#include "broker/api/kinesis/retention_change.h"

#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_change.h"
#include "broker/api/kinesis/stream_text.h"
#include "broker/log.h"

namespace sluice::broker::kinesis {

using protocol::aws::Required;
using protocol::aws::Shape;

const Shape& RetentionInputShape() {
  static const Shape shape = StreamInputShape().Member("RetentionPeriodHours", IntegerShape(), Required::kYes);
  return shape;
}

ApiResult<std::string> ChangeRetention(const Context& context, const aws::Call& call, RetentionCheck check) {
  const std::int64_t asked = *IntegerOf(call, "RetentionPeriodHours");
  const auto changed = ChangeStream(context, call, FindStream(context, call), [&](StreamInfo& stream) {
    const std::int64_t current = RetentionHours(stream);
    if (asked != current) stream.retention.age_ms = asked * kHourMs;
    return check(asked, current, stream.name);
  });
  if (changed) log::Info("retention changed", {{"stream", (*changed)->name}, {"hours", asked}});
  return NoBody(changed);
}

}  // namespace sluice::broker::kinesis
