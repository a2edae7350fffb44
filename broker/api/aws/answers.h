// The answers that do not come from an operation, byte for byte as AWS's front ends give them; docs/aws.md says when.
// Values only.
#pragma once

#include <string_view>

#include "broker/api/aws/http_message.h"
#include "protocol/aws/error.h"
#include "protocol/aws/writer.h"

namespace sluice::broker::aws {

inline constexpr std::string_view kAmzJson = "application/x-amz-json-1.1";
inline constexpr std::string_view kAmzCbor = "application/x-amz-cbor-1.1";
inline constexpr std::string_view kPlainJson = "application/json";

inline std::string_view ContentTypeOf(protocol::aws::Encoding encoding) {
  return encoding == protocol::aws::Encoding::kCbor ? kAmzCbor : kAmzJson;
}

/// What names no operation at all: 403.
HttpResponse AccessDenied();
/// A content type that is none of ours: 404.
HttpResponse UnknownOperationXml();
/// In the form that application/json gets: kPlainJson is parsed, and goes no further.
HttpResponse CoralError(std::string_view type, int status);
/// {"__type": .., "message": ..} in the client's encoding.
HttpResponse ErrorAnswer(const protocol::aws::ApiError& error, protocol::aws::Encoding encoding);
/// To a preflight request of a browser, which names what it wants to send.
HttpResponse Preflight(const HttpRequest& request);

}  // namespace sluice::broker::aws
