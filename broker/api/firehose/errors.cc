// One function per error.
#include "broker/api/firehose/errors.h"

#include <fmt/format.h>

namespace sluice::broker::firehose {

using protocol::aws::ApiError;

namespace {

/// The stage tells each problem in a line of its own, often below one that ends in a colon.
std::string OneLine(const std::string& message) {
  std::string text;
  for (const char c : message) {
    if (c == '\n') {
      text += text.ends_with(':') ? " " : "; ";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

ApiError InvalidArgument(std::string message) { return {"InvalidArgumentException", std::move(message)}; }

ApiError NotFound(std::string_view name, const aws::Caller& caller) {
  return {"ResourceNotFoundException", fmt::format("Firehose {} under account {} not found.", name, caller.account)};
}

ApiError AlreadyExists(std::string_view name, const aws::Caller& caller) {
  return {"ResourceInUseException", fmt::format("Firehose {} under accountId {} already exists", name, caller.account)};
}

ApiError NotActive(DeliveryState state, std::string_view name, const aws::Caller& caller) {
  return {"ResourceInUseException", fmt::format("Firehose {} under account {} is not ACTIVE, but in state {}", name,
                                                caller.account, NameOf(state))};
}

ApiError ServiceUnavailable() { return {"ServiceUnavailableException", "Slow down.", 503}; }

ApiError NotServed(std::string_view what) {
  return InvalidArgument(fmt::format("{} is not served by this broker", what));
}

ApiError KeyFailure(const Status& why) {
  switch (why.code()) {
    case Code::kFailedPrecondition:
    case Code::kNotFound:
      return {"InvalidKMSResourceException", why.message()};
    case Code::kUnavailable:
      return ServiceUnavailable();
    default:
      return {"InternalFailure", why.message(), 500};
  }
}

ApiError FromStatus(const Status& why, std::string_view name, const aws::Caller& caller) {
  switch (why.code()) {
    case Code::kNotFound:
      return NotFound(name, caller);
    case Code::kAlreadyExists:
      return AlreadyExists(name, caller);
    case Code::kInvalidArgument:
    case Code::kUnimplemented:
    case Code::kFailedPrecondition:
      return InvalidArgument(OneLine(why.message()));
    default:
      return {"InternalFailure", why.message(), 500};
  }
}

}  // namespace sluice::broker::firehose
