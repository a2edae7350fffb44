// Between native.proto's messages and the broker's values; for the handlers only.
#pragma once

#include <string>
#include <string_view>

#include "broker/api/native/handlers/control_operation.h"

namespace sluice::native {
class LostRange;
class Retention;
class StreamInfo;
}  // namespace sluice::native

namespace sluice::broker::native {

/// kInvalidArgument where `control` is no `Message`.
template <typename Message>
Result<Message> ParseControl(std::string_view control) {
  Message message;
  if (!message.ParseFromArray(control.data(), static_cast<int>(control.size()))) {
    return Error(Code::kInvalidArgument, "the control message does not parse; is the client of another version?");
  }
  return message;
}

/// 0 means "no limit" on the wire.
RetentionSettings FromMessage(const ::sluice::native::Retention& message);
/// With positions and sizes of the open shards as they are now.
void ToMessage(const HandlerContext& context, const broker::StreamInfo& stream, ::sluice::native::StreamInfo& out);
/// The closed shards too.
void AddClosedShards(const HandlerContext& context, const broker::StreamInfo& stream,
                     ::sluice::native::StreamInfo& out);
void ToMessage(const storage::Hole& hole, ::sluice::native::LostRange& out);

}  // namespace sluice::broker::native
