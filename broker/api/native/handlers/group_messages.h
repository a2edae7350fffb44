// Between native.proto's messages of consumer groups and the broker's values; for the handlers only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "broker/api/native/handlers/messages.h"
#include "broker/groups/group_service.h"

namespace sluice::native {
class GroupInfo;
class GroupPosition;
}  // namespace sluice::native

namespace sluice::broker::native {

/// nullopt where the message names no start, or an offset, which is none.
std::optional<groups::GroupStart> StartOf(const ::sluice::native::GroupPosition& message);
/// What JoinGroup and GroupHeartbeat answer.
std::string AnswerOf(const groups::Assignment& assignment);
/// What a list shows: without members and shards.
void ToSummary(const groups::GroupDescription& group, ::sluice::native::GroupInfo& out);
/// The bytes of a whole GroupInfo; without sequence numbers where it would be over the limit of a control message.
std::string AnswerOf(const groups::GroupDescription& group, std::int64_t now_ms);

}  // namespace sluice::broker::native
