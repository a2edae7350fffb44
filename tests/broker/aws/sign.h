// Signs requests as a client does, with the pieces that protocol/aws checks signatures with (which its own tests hold
// against botocore).
#pragma once

#include <cstdint>
#include <string_view>

#include "broker/api/aws/http_message.h"

namespace sluice::broker::aws {

struct Signer {
  std::string_view access_key;
  std::string_view secret;
  std::string_view region;
  std::string_view service;
  std::int64_t time_s;
};

/// Adds X-Amz-Date and Authorization; all fields that are there are signed. Without a query.
void Sign(HttpRequest& request, const Signer& signer);

}  // namespace sluice::broker::aws
