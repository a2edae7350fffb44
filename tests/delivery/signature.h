// Whether a request is signed as AWS would have it (protocol/aws/sigv4.h).
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/aws/sigv4.h"
#include "tests/delivery/fake_endpoint.h"

namespace sluice::delivery {

/// Empty where `secret` has signed it.
inline std::string SignatureProblem(const FakeEndpoint::Request& request, std::string_view secret) {
  namespace aws = protocol::aws;
  std::vector<aws::HttpHeader> headers;
  for (const auto& [name, value] : request.headers) headers.push_back({name, value});
  const std::string digest = aws::Sha256Hex(request.body);
  const std::string_view target = request.target;
  const std::size_t path_end = std::min(target.find('?'), target.size());
  const aws::SignedRequest as_sent{.method = "POST",
                                   .path = target.substr(0, path_end),
                                   .query = target.substr(std::min(path_end + 1, target.size())),
                                   .headers = headers,
                                   .body_sha256 = digest};
  const auto claim = aws::ReadClaim(as_sent);
  if (!claim) return claim.error().message;
  const auto wrong = aws::CheckSignature(as_sent, *claim, aws::DeriveSigningKey(secret, claim->scope), claim->time_s);
  return wrong ? wrong->message : "";
}

}  // namespace sluice::delivery
