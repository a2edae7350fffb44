// A stream without a policy costs one look at an empty text.
#include "broker/api/kinesis/stream_access.h"

#include <fmt/format.h>

#include <utility>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/resource_policy.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;

namespace {

ApiError AccessDenied(const aws::Caller& caller, const NamedStream& named, std::string_view operation, bool denied) {
  const std::string user = caller.access_key.empty() ? std::string("root") : fmt::format("user/{}", caller.access_key);
  aws::Caller owner = caller;
  owner.account = named.account;
  return {
      "AccessDeniedException",
      fmt::format("User: arn:aws:iam::{}:{} is not authorized to perform: kinesis:{} on resource: {} {}",
                  caller.account, user, operation, StreamArn(named.name, owner),
                  denied ? "with an explicit deny in a resource-based policy"
                         : fmt::format("because no resource-based policy allows the kinesis:{} action", operation))};
}

/// The stream where its state lets the operation have it.
ApiResult<StreamPtr> InState(const Context& context, const aws::Caller& caller, ApiResult<StreamPtr> stream,
                             std::string_view operation) {
  if (!stream) return stream;
  const StreamState state = context.lifecycle->StateOf(**stream);
  if (state == StreamState::kActive || state == StreamState::kUpdating || operation.starts_with("Describe")) {
    return stream;
  }
  if (operation == "ListShards") return std::unexpected(NotActive(state, (*stream)->name, caller));
  return std::unexpected(StreamNotFound((*stream)->name, caller));
}

}  // namespace

ApiResult<StreamPtr> AccessStream(const Context& context, const aws::Caller& caller, const NamedStream& named,
                                  std::string_view operation) {
  const bool own = named.account == caller.account;
  if (!own && !context.parts.accounts.contains(named.account)) return std::unexpected(UnknownAccount());
  auto stream = FindStream(context, caller, named.name);
  if (own && (!stream || (*stream)->kinesis.policy.empty())) {
    return InState(context, caller, std::move(stream), operation);
  }
  const bool has_policy = stream && !(*stream)->kinesis.policy.empty();
  const Verdict verdict = has_policy ? JudgePolicy((*stream)->kinesis.policy, caller, operation) : Verdict::kSilent;
  if (verdict == Verdict::kDeny || (!own && verdict == Verdict::kSilent)) {
    return std::unexpected(AccessDenied(caller, named, operation, verdict == Verdict::kDeny));
  }
  return InState(context, caller, std::move(stream), operation);
}

ApiResult<StreamPtr> AccessStream(const Context& context, const aws::Call& call, std::string_view operation) {
  const ApiResult<NamedStream> named = StreamInCall(call);
  if (!named) return std::unexpected(named.error());
  return AccessStream(context, call.caller(), *named, operation);
}

aws::Caller OwnerOf(const aws::Call& call) {
  aws::Caller owner = call.caller();
  if (const auto named = StreamInCall(call)) owner.account = named->account;
  return owner;
}

}  // namespace sluice::broker::kinesis
