// Which stream a request is about: by StreamName, by StreamARN, or by both where they agree.
//
// The broker has one set of streams: each is there under every account and in every region, and its ARN carries the
// caller's. Streams of the broker itself (hidden ones) are not there. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "broker/api/aws/arguments.h"
#include "broker/api/kinesis/context.h"
#include "broker/stream_catalog.h"

namespace sluice::broker::kinesis {

/// "arn:aws:kinesis:us-east-1:123456789012:stream/orders".
std::string StreamArn(std::string_view name, const aws::Caller& caller);

/// A stream as a call names it; views into the call's input or its caller.
struct NamedStream {
  std::string_view name;
  std::string_view account;  // of the ARN, else the caller's
};
/// An ARN of the caller's region, whatever its account.
ApiResult<NamedStream> StreamInArn(std::string_view arn, const aws::Caller& caller);
/// What a call's StreamName and StreamARN name.
ApiResult<NamedStream> StreamInCall(const aws::Call& call);
/// The error of an ARN with an account that nobody here has.
protocol::aws::ApiError UnknownAccount();

/// The stream of a call's StreamName and StreamARN, which is of the caller's account.
ApiResult<StreamPtr> FindStream(const Context& context, const aws::Call& call);
/// By name alone. Where streams pass states it may be one that is DELETING, in all of these.
ApiResult<StreamPtr> FindStream(const Context& context, const aws::Caller& caller, std::string_view name);

}  // namespace sluice::broker::kinesis
