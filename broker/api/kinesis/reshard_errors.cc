// The core's codes as AWS's types.
#include "broker/api/kinesis/reshard_errors.h"

#include <fmt/format.h>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_text.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;

ApiResult<StreamPtr> FindReshardable(const Context& context, const aws::Call& call) {
  auto stream = FindStream(context, call);
  if (!stream) return stream;
  const std::string& name = (*stream)->name;
  if (const StreamState state = context.lifecycle->StateOf(**stream); state != StreamState::kActive) {
    return std::unexpected(NotActive(state, name, call.caller()));
  }
  if (!(*stream)->kinesis.on_demand) return stream;
  return std::unexpected(ApiError(
      "ValidationException", fmt::format("Request is invalid. Stream {} under account {} is in On-Demand mode.", name,
                                         call.caller().account)));
}

ApiResult<const ShardInfo*> FindOpenShard(const aws::Call& call, std::string_view member, const StreamInfo& stream) {
  const std::string_view named = TextOf(call, member);
  const auto index = ParseShardName(named);
  if (!index) return std::unexpected(ShardNotFound(named, stream.name, call.caller()));
  const ShardInfo* const shard = stream.FindShard(*index);
  if (shard == nullptr) return std::unexpected(ShardNotFound(ShardName(*index), stream.name, call.caller()));
  if (!shard->closed()) return shard;
  return std::unexpected(
      InvalidArgument(fmt::format("Shard {} in stream {} under account {} has already been merged or split, and thus "
                                  "is not eligible for merging or splitting.",
                                  ShardName(*index), stream.name, call.caller().account)));
}

ApiError ReshardError(const Status& why, std::string_view stream, const aws::Caller& caller) {
  switch (why.code()) {
    case Code::kUnavailable:
    case Code::kFailedPrecondition:  // another reshard came in between
      return NotActive(StreamState::kUpdating, stream, caller);
    case Code::kResourceExhausted:
      return {"LimitExceededException", why.message()};
    default:
      return FromStatus(why, stream, caller);
  }
}

}  // namespace sluice::broker::kinesis
