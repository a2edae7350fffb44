// Operations that have their answer when they return, and what they return.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <utility>

#include "broker/api/aws/operation.h"
#include "protocol/aws/error.h"

namespace sluice::broker::aws {

template <typename T>
using ApiResult = std::expected<T, protocol::aws::ApiError>;

/// Runs `handler(context, call)`, which gives an ApiResult of the answer's body. `context` outlives the operation.
template <typename Context, typename Handler>
std::function<void(CallPtr)> Answering(const Context& context, Handler handler) {
  return [&context, handler](const CallPtr& call) {
    ApiResult<std::string> answer = handler(context, *call);
    if (answer) return call->Answer(std::move(*answer));
    call->Fail(std::move(answer.error()));
  };
}

}  // namespace sluice::broker::aws
