// Check, limit, change, reload.
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

ApiError TooOften(std::string_view operation, std::string_view stream, const aws::Caller& caller) {
  return {"LimitExceededException", fmt::format("{} has been called 25 times in the last 24 hours for stream {} under "
                                                "account {}.",
                                                operation, stream, caller.account)};
}

}  // namespace

const Shape& EncryptionInputShape() {
  static const Shape type = Shape::Text().OneOf({"NONE", "KMS"});
  static const Shape key_id = Shape::Text().Length(1, 2'048);
  static const Shape shape =
      StreamInputShape().Member("EncryptionType", type, Required::kYes).Member("KeyId", key_id, Required::kYes);
  return shape;
}

ApiResult<std::string> ChangeEncryption(const Context& context, const aws::Call& call, std::string_view operation,
                                        const StreamChange& change) {
  if (TextOf(call, "EncryptionType") != "KMS") {
    return std::unexpected(InvalidArgument(
        fmt::format("EncryptionType NONE is not valid for {}; the only valid value is KMS.", operation)));
  }
  const auto found = FindStream(context, call);
  if (!found) return std::unexpected(found.error());
  DailyLimiter* const limiter = context.encryption_limiter.get();
  const std::string key = fmt::format("{}/{}", operation, (*found)->id.value);
  if (limiter != nullptr && !limiter->Take(key)) {
    return std::unexpected(TooOften(operation, (*found)->name, call.caller()));
  }
  const auto changed = ChangeStream(context, call, found, change);
  if (!changed && limiter != nullptr) limiter->GiveBack(key);
  if (!changed) return std::unexpected(changed.error());
  context.parts.keyring.Reload((*changed)->id);
  log::Info("encryption changed", {{"stream", (*changed)->name}, {"encrypted", (*changed)->encryption.on}});
  return NoBody(changed);
}

}  // namespace sluice::broker::kinesis
