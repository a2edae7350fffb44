// A stream without a policy costs one look at an empty text.
#include "broker/api/kinesis/stream_access.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/resource_policy.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;

namespace {

/// How a caller names what it wants, and the account that this belongs to.
struct Wanted {
  std::string arn;
  std::string_view account;
};

/// What the policies say together.
Verdict Judge(std::initializer_list<std::string_view> policies, const aws::Caller& caller, std::string_view operation) {
  Verdict verdict = Verdict::kSilent;
  for (const std::string_view policy : policies) {
    if (!policy.empty()) verdict = std::max(verdict, JudgePolicy(policy, caller, operation));
  }
  return verdict;
}

/// What is of the caller's account is allowed unless it is denied.
std::optional<ApiError> Check(Verdict verdict, const Wanted& wanted, const aws::Caller& caller,
                              std::string_view operation) {
  if (verdict == Verdict::kAllow || (verdict == Verdict::kSilent && wanted.account == caller.account)) {
    return std::nullopt;
  }
  const std::string user = caller.access_key.empty() ? std::string("root") : fmt::format("user/{}", caller.access_key);
  const std::string why = verdict == Verdict::kDeny
                              ? "with an explicit deny in a resource-based policy"
                              : fmt::format("because no resource-based policy allows the kinesis:{} action", operation);
  return ApiError("AccessDeniedException",
                  fmt::format("User: arn:aws:iam::{}:{} is not authorized to perform: kinesis:{} on resource: {} {}",
                              caller.account, user, operation, wanted.arn, why));
}

bool HasAccount(const Context& context, const aws::Caller& caller, std::string_view account) {
  return account == caller.account || context.parts.accounts.contains(account);
}

std::string ArnOf(const NamedStream& named, aws::Caller owner) {
  owner.account = named.account;
  return StreamArn(named.name, owner);
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
  if (!HasAccount(context, caller, named.account)) return std::unexpected(UnknownAccount());
  auto stream = FindStream(context, caller, named.name);
  const bool has_policy = stream && !(*stream)->kinesis.policy.empty();
  if (has_policy || named.account != caller.account) {
    const Verdict verdict = has_policy ? Judge({(*stream)->kinesis.policy}, caller, operation) : Verdict::kSilent;
    auto denied = Check(verdict, {ArnOf(named, caller), named.account}, caller, operation);
    if (denied) return std::unexpected(std::move(*denied));
  }
  return InState(context, caller, std::move(stream), operation);
}

ApiResult<StreamPtr> AccessStream(const Context& context, const aws::Call& call, std::string_view operation) {
  const ApiResult<NamedStream> named = StreamInCall(call);
  if (!named) return std::unexpected(named.error());
  return AccessStream(context, call.caller(), *named, operation);
}

ApiResult<Consumer> AccessConsumer(const Context& context, const aws::Call& call, std::string_view operation) {
  const ApiResult<NamedConsumer> named = ConsumerInCall(call);
  if (!named) return std::unexpected(named.error());
  if (!HasAccount(context, call.caller(), named->stream.account)) return std::unexpected(UnknownAccount());
  auto consumer = FindConsumer(context, call.caller(), *named);
  Verdict verdict = Verdict::kSilent;
  if (consumer) {
    verdict = Judge({consumer->stream->kinesis.policy, consumer->info.policy}, call.caller(), operation);
  }
  const std::string_view arn =
      TextOf(call, "ConsumerARN").empty() ? TextOf(call, "StreamARN") : TextOf(call, "ConsumerARN");
  auto denied = Check(verdict, {std::string(arn), named->stream.account}, call.caller(), operation);
  if (denied) return std::unexpected(std::move(*denied));
  if (!consumer) return consumer;
  if (auto stream = InState(context, call.caller(), consumer->stream, operation); !stream) {
    return std::unexpected(stream.error());
  }
  return consumer;
}

aws::Caller OwnerOf(const aws::Call& call) {
  aws::Caller owner = call.caller();
  const std::string_view consumer = TextOf(call, "ConsumerARN");
  const auto named = consumer.empty() ? StreamInCall(call) : StreamInArn(consumer, call.caller());
  if (named) owner.account = named->account;
  return owner;
}

}  // namespace sluice::broker::kinesis
