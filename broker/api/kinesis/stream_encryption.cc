// Check, count, change, reload.
#include "broker/api/kinesis/stream_encryption.h"

#include <fmt/format.h>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/log.h"

namespace sluice::broker::kinesis {

using protocol::aws::Required;
using protocol::aws::Shape;

const Shape& EncryptionInputShape() {
  static const Shape type = Shape::Text().OneOf({"NONE", "KMS"});
  static const Shape key_id = Shape::Text().Length(1, 2'048);
  static const Shape shape =
      StreamInputShape().Member("EncryptionType", type, Required::kYes).Member("KeyId", key_id, Required::kYes);
  return shape;
}

ApiResult<std::string> ChangeEncryption(const Context& context, const aws::Call& call, const DailyLimit& limit,
                                        const StreamChange& change) {
  if (TextOf(call, "EncryptionType") != "KMS") {
    return std::unexpected(InvalidArgument(
        fmt::format("EncryptionType NONE is not valid for {}; the only valid value is KMS.", limit.operation)));
  }
  const auto changed = ChangeStream(context, call, FindStream(context, call), [&](StreamInfo& stream) -> Refusal {
    Refusal refusal = CountDailyCall(context, call, limit, stream);
    return refusal ? refusal : change(stream);
  });
  if (!changed) return std::unexpected(changed.error());
  context.parts.keyring.Reload((*changed)->id);
  log::Info("encryption changed", {{"stream", (*changed)->name}, {"encrypted", (*changed)->encryption.on}});
  return NoBody(changed);
}

}  // namespace sluice::broker::kinesis
