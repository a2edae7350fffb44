// Taking ARNs apart, and the catalog's answer in AWS's words.
#include "broker/api/kinesis/stream_argument.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/api/aws/arguments.h"
#include "broker/api/kinesis/errors.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;

namespace {

/// Takes what stands before the next colon off the front.
std::string_view TakeField(std::string_view& arn) {
  const std::size_t colon = std::min(arn.find(':'), arn.size());
  const std::string_view field = arn.substr(0, colon);
  arn.remove_prefix(std::min(colon + 1, arn.size()));
  return field;
}

}  // namespace

std::string StreamArn(std::string_view name, const aws::Caller& caller) {
  return aws::Arn(caller, "kinesis", fmt::format("stream/{}", name));
}

ApiError UnknownAccount() { return {"UnrecognizedClientException", "No account found for the given parameters"}; }

ApiResult<NamedStream> StreamInArn(std::string_view arn, const aws::Caller& caller) {
  std::string_view rest = arn;
  for (int field = 0; field < 3; ++field) TakeField(rest);  // arn:aws:kinesis
  if (TakeField(rest) != caller.region) {
    return std::unexpected(
        InvalidArgument(fmt::format("The region specified in the ARN '{}' does not match the endpoint region", arn)));
  }
  const std::string_view account = TakeField(rest);
  rest.remove_prefix(std::min(rest.find("stream/"), rest.size()));
  rest.remove_prefix(std::min(std::string_view("stream/").size(), rest.size()));
  return NamedStream{.name = rest, .account = account};
}

ApiResult<NamedStream> StreamInCall(const aws::Call& call) {
  const std::string_view name = TextOf(call, "StreamName");
  const std::string_view arn = TextOf(call, "StreamARN");
  if (name.empty() && arn.empty()) {
    return std::unexpected(InvalidArgument("Stream arn and stream name can't be empty at the same time"));
  }
  if (arn.empty()) return NamedStream{.name = name, .account = call.caller().account};
  const ApiResult<NamedStream> inferred = StreamInArn(arn, call.caller());
  if (inferred && !name.empty() && name != inferred->name) {
    return std::unexpected(InvalidArgument(
        fmt::format("Input stream name {} doesn't match the inferred name in stream arn {}", name, inferred->name)));
  }
  return inferred;
}

ApiResult<StreamPtr> FindStream(const Context& context, const aws::Caller& caller, std::string_view name) {
  auto stream = context.parts.catalog.Find(name);
  if (stream && !(*stream)->hidden) return std::move(*stream);
  if (StreamPtr deleting = context.lifecycle->FindDeleting(name)) return deleting;
  return std::unexpected(StreamNotFound(name, caller));
}

ApiResult<StreamPtr> FindStream(const Context& context, const aws::Call& call) {
  const ApiResult<NamedStream> named = StreamInCall(call);
  if (!named) return std::unexpected(named.error());
  if (named->account != call.caller().account) return std::unexpected(UnknownAccount());
  return FindStream(context, call.caller(), named->name);
}

}  // namespace sluice::broker::kinesis
