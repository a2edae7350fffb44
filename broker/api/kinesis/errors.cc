// One function per error.
#include "broker/api/kinesis/errors.h"

#include <fmt/format.h>

#include "broker/api/kinesis/stream_text.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;

ApiError InvalidArgument(std::string message) { return {"InvalidArgumentException", std::move(message)}; }

ApiError StreamNotFound(std::string_view stream, const aws::Caller& caller) {
  return {"ResourceNotFoundException", fmt::format("Stream {} under account {} not found.", stream, caller.account)};
}

ApiError ShardNotFound(std::string_view shard, std::string_view stream, const aws::Caller& caller) {
  return {"ResourceNotFoundException",
          fmt::format("Could not find shard {} in stream {} under account {}.", shard, stream, caller.account)};
}

ApiError NoSuchShard(ShardIndex shard, std::string_view stream, const aws::Caller& caller) {
  return {"ResourceNotFoundException", fmt::format("Shard {} in stream {} under account {} does not exist",
                                                   ShardName(shard), stream, caller.account)};
}

ApiError NotActive(StreamState state, std::string_view stream, const aws::Caller& caller) {
  return {"ResourceInUseException", fmt::format("Stream {} under account {} not ACTIVE, instead in state {}", stream,
                                                caller.account, NameOf(state))};
}

ApiError RateExceeded(ShardIndex shard, std::string_view stream, const aws::Caller& caller) {
  return {"ProvisionedThroughputExceededException",
          fmt::format("Rate exceeded for shard {} in stream {} under account {}.", ShardName(shard), stream,
                      caller.account)};
}

ApiError ExpiredNextToken() { return {"ExpiredNextTokenException", "The provided next token is expired."}; }

ApiError InternalFailure(const Status& why) { return {"InternalFailure", why.message(), 500}; }

ApiError FromStatus(const Status& why, std::string_view stream, const aws::Caller& caller) {
  if (why.code() == Code::kNotFound) return StreamNotFound(stream, caller);
  return InternalFailure(why);
}

ApiError RecordsFailure(const Status& why, std::string_view stream, const aws::Caller& caller) {
  if (why.code() == Code::kFailedPrecondition) return KeyFailure(why);
  return FromStatus(why, stream, caller);
}

ApiError KeyFailure(const Status& why) {
  switch (why.code()) {
    case Code::kFailedPrecondition:
    case Code::kNotFound:
      return {"KMSNotFoundException", why.message()};
    case Code::kUnavailable:
      return {"KMSThrottlingException", why.message()};
    default:
      return InternalFailure(why);
  }
}

std::optional<ApiError> CheckDryRun(const aws::Call& call, std::string_view operation) {
  const auto dry_run = call.input().Find("DryRun");
  if (!dry_run || !dry_run->boolean()) return std::nullopt;
  return ApiError("DryRunOperationException",
                  fmt::format("DryRunOperation validation succeeded while calling {} operation.: Request would have "
                              "succeeded, but DryRun flag is set.",
                              operation));
}

}  // namespace sluice::broker::kinesis
