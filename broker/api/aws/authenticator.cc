// The claim, the key, the check; AWS's words where one of them fails.
#include "broker/api/aws/authenticator.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <optional>

#include "protocol/ascii.h"

namespace sluice::broker::aws {
namespace {

namespace api = protocol::aws;

// A client uses one key for a day, region and service; who sends others only costs itself.
constexpr std::size_t kCachedKeysMax = 1'000;

api::ApiError UnknownKey(bool no_keys) {
  std::string message = "The security token included in the request is invalid.";
  if (no_keys) {
    message +=
        " This broker knows no access keys: name some in aws.access_keys, or set aws.accept_any_signature for local "
        "tests.";
  }
  return {"UnrecognizedClientException", std::move(message)};
}

// Regions are parts of names elsewhere.
bool IsRegion(std::string_view text) {
  constexpr std::size_t kBytesMax = 64;
  return !text.empty() && text.size() <= kBytesMax &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || protocol::IsDigit(c) || c == '-'; });
}

}  // namespace

std::expected<Caller, api::ApiError> Authenticator::Check(const HttpRequest& request, std::string_view signing_name,
                                                          std::int64_t now_s) {
  boost::container::small_vector<api::HttpHeader, HttpFields::kUsualCount> headers;
  for (const HttpField field : request.fields.all()) headers.push_back({field.name, field.value});
  api::SignedRequest to_check{
      .method = request.method, .path = request.path, .query = request.query, .headers = headers, .body_sha256 = {}};
  const auto claim = api::ReadClaim(to_check);
  if (options_.accept_any_signature) {
    if (claim) return CallerOf(*claim);
    return Caller{.account = options_.account, .region = options_.region, .access_key = {}};
  }
  if (!claim) return std::unexpected(claim.error());
  const auto secret = options_.access_keys.find(std::string(claim->access_key));
  if (secret == options_.access_keys.end()) return std::unexpected(UnknownKey(options_.access_keys.empty()));
  if (claim->scope.service != signing_name) {
    return std::unexpected(
        api::ApiError("InvalidSignatureException",
                      fmt::format("Credential should be scoped to correct service: '{}'.", signing_name)));
  }
  if (!IsRegion(claim->scope.region)) {
    return std::unexpected(
        api::ApiError("InvalidSignatureException", "Credential should be scoped to a valid region."));
  }
  const std::string digest = api::Sha256Hex(request.body);
  to_check.body_sha256 = digest;
  if (auto wrong = api::CheckSignature(to_check, *claim, KeyFor(*claim, secret->second), now_s)) {
    return std::unexpected(std::move(*wrong));
  }
  return CallerOf(*claim);
}

Caller Authenticator::CallerOf(const api::SignatureClaim& claim) const {
  std::string access_key(claim.access_key);
  const auto account = options_.accounts.find(access_key);
  return {.account = account == options_.accounts.end() ? options_.account : account->second,
          .region = IsRegion(claim.scope.region) ? std::string(claim.scope.region) : options_.region,
          .access_key = std::move(access_key)};
}

const api::SigningKey& Authenticator::KeyFor(const api::SignatureClaim& claim, std::string_view secret) {
  const std::string name =
      fmt::format("{}/{}/{}/{}", claim.access_key, claim.scope.date, claim.scope.region, claim.scope.service);
  const auto known = keys_.find(name);
  if (known != keys_.end()) return known->second;
  if (keys_.size() >= kCachedKeysMax) keys_.clear();
  return keys_.emplace(name, api::DeriveSigningKey(secret, claim.scope)).first->second;
}

}  // namespace sluice::broker::aws
