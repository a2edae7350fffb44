// The answers that do not come from an operation, byte for byte as AWS's front ends give them; docs/aws.md says when.
// Values only.
#pragma once

#include <string>
#include <string_view>

#include "broker/api/aws/http_message.h"
#include "broker/api/aws/operation.h"
#include "broker/api/aws/wire.h"
#include "protocol/aws/error.h"

namespace sluice::broker::aws {

inline constexpr std::string_view kPlainJson = "application/json";

/// What names no operation at all: 403.
HttpResponse AccessDenied();
/// A content type that is none of ours: 404.
HttpResponse UnknownOperationXml();
/// In the form that application/json gets: kPlainJson is parsed, and goes no further.
HttpResponse CoralError(std::string_view type, int status);
/// What a request that came without all of itself gets.
protocol::aws::ApiError ErrorOf(HttpProblem problem);
/// {"__type": .., "message": ..} in the client's way of writing, or the error's own body.
HttpResponse ErrorAnswer(const protocol::aws::ApiError& error, Wire wire);
/// In place of an answer that there is no memory to keep; its ids and its date stay.
void RefuseForMemory(HttpResponse& response);
/// An error as forms name it, for clients that came from forms and ask for it (x-amzn-query-mode).
std::string QueryErrorText(const protocol::aws::ApiError& error);
/// An operation's answer with this body, which is empty where the operation has no output.
HttpResponse OperationAnswer(Wire wire, const Service& service, std::string_view operation, std::string body);
/// To a preflight request of a browser, which names what it wants to send.
HttpResponse Preflight(const HttpRequest& request);

}  // namespace sluice::broker::aws
