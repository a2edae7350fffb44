// ReadClaim: the parts of a signature, from the Authorization header or from the query.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "protocol/ascii.h"
#include "protocol/aws/amz_time.h"
#include "protocol/aws/percent.h"
#include "protocol/aws/sigv4.h"
#include "protocol/aws/sigv4_text.h"

namespace sluice::protocol::aws {
namespace {

using Parts = std::map<std::string, std::string, std::less<>>;

ApiError Incomplete(std::string message) { return {"IncompleteSignatureException", std::move(message)}; }

std::optional<std::string_view> FindHeader(const SignedRequest& request, std::string_view lower_name) {
  for (const HttpHeader& header : request.headers) {
    if (Lower(header.name) == lower_name) return header.value;
  }
  return std::nullopt;
}

/// `NAME=VALUE` parts that are separated by commas, spaces, or both.
Parts SplitAuthorization(std::string_view value) {
  Parts parts;
  while (!value.empty()) {
    const std::size_t end = std::min(value.find_first_of(", "), value.size());
    const std::string_view part = value.substr(0, end);
    const std::size_t equals = part.find('=');
    if (equals != part.npos) parts.emplace(part.substr(0, equals), part.substr(equals + 1));
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return parts;
}

/// The X-Amz-* parameters of the query, decoded. nullopt where a part of it cannot be decoded.
std::optional<Parts> SplitQuery(std::string_view query) {
  Parts parts;
  for (const auto& [name, value] : QueryParameters(query)) {
    auto decoded_name = PercentDecode(name);
    auto decoded_value = PercentDecode(value);
    if (!decoded_name || !decoded_value) return std::nullopt;
    parts.emplace(std::move(*decoded_name), std::move(*decoded_value));
  }
  return parts;
}

/// KEY/DATE/REGION/SERVICE/aws4_request into the claim.
std::optional<ApiError> TakeCredential(std::string_view credential, SignatureClaim& claim) {
  std::vector<std::string_view> elements;
  for (std::string_view rest = credential;;) {
    const std::size_t slash = rest.find('/');
    elements.push_back(rest.substr(0, slash));
    if (slash == rest.npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (elements.size() != 5) {
    return Incomplete(
        fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                    "keyid/date/region/service/term, got '{}'",
                    credential));
  }
  if (elements[4] != "aws4_request") {
    return ApiError(
        "InvalidSignatureException",
        fmt::format("Credential should be scoped with a valid terminator: 'aws4_request', not '{}'.", elements[4]));
  }
  claim.access_key = elements[0];
  claim.scope = {std::string(elements[1]), std::string(elements[2]), std::string(elements[3])};
  return std::nullopt;
}

void TakeSignedHeaders(std::string_view names, SignatureClaim& claim) {
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(';'), names.size());
    claim.signed_headers.push_back(Lower(names.substr(0, end)));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
}

std::optional<ApiError> TakeParts(const Parts& parts, std::string_view prefix, SignatureClaim& claim) {
  const auto part = [&](std::string_view name) { return parts.find(fmt::format("{}{}", prefix, name))->second; };
  claim.signature = part("Signature");
  TakeSignedHeaders(part("SignedHeaders"), claim);
  if (std::optional<ApiError> wrong = TakeCredential(part("Credential"), claim)) return wrong;
  const auto is_host = [](const std::string& name) { return name == "host" || name == ":authority"; };
  if (std::ranges::none_of(claim.signed_headers, is_host)) {
    return ApiError("InvalidSignatureException",
                    "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  if (claim.scope.date == claim.time.substr(0, 8)) return std::nullopt;
  return ApiError(
      "InvalidSignatureException",
      fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                  "'{}' != '{}', from '{}'.",
                  claim.scope.date, claim.time.substr(0, 8), claim.time));
}

/// The time of a request with an Authorization header.
bool TakeHeaderTime(const SignedRequest& request, SignatureClaim& claim) {
  const std::optional<std::string_view> amz = FindHeader(request, "x-amz-date");
  const std::optional<std::string_view> text = amz ? amz : FindHeader(request, "date");
  if (!text) return false;
  std::optional<std::int64_t> time = ParseAmzTime(*text);
  if (!time) time = ParseHttpDate(*text);
  if (!time) return false;
  claim.time_s = *time;
  claim.time = FormatAmzTime(*time);
  return true;
}

std::expected<SignatureClaim, ApiError> ReadHeaderForm(const SignedRequest& request, std::string_view authorization) {
  SignatureClaim claim;
  const Parts parts = SplitAuthorization(authorization);
  std::string missing;
  for (const char* name : {"Credential", "Signature", "SignedHeaders"}) {
    if (!parts.contains(name)) missing += fmt::format("Authorization header requires '{}' parameter. ", name);
  }
  if (!TakeHeaderTime(request, claim)) {
    missing += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  }
  if (!missing.empty()) return std::unexpected(Incomplete(fmt::format("{}Authorization={}", missing, authorization)));
  if (std::optional<ApiError> wrong = TakeParts(parts, "", claim)) return std::unexpected(std::move(*wrong));
  return claim;
}

std::expected<SignatureClaim, ApiError> ReadQueryForm(const Parts& parts) {
  SignatureClaim claim;
  claim.in_query = true;
  std::string missing;
  for (const char* name :
       {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"}) {
    const auto found = parts.find(name);
    if (found == parts.end() || found->second.empty()) {
      missing += fmt::format("AWS query-string parameters must include '{}'. ", name);
    }
  }
  if (!missing.empty()) return std::unexpected(Incomplete(missing + "Re-examine the query-string parameters."));
  const std::optional<std::int64_t> time = ParseAmzTime(parts.find("X-Amz-Date")->second);
  if (!time) {
    return std::unexpected(Incomplete("Date must be in ISO-8601 'basic format'. Got '" +
                                      parts.find("X-Amz-Date")->second +
                                      "'. See http://en.wikipedia.org/wiki/ISO_8601"));
  }
  claim.time_s = *time;
  claim.time = FormatAmzTime(*time);
  if (const auto expires = parts.find("X-Amz-Expires"); expires != parts.end()) {
    std::int64_t seconds = 0;
    const char* end = expires->second.data() + expires->second.size();
    if (std::from_chars(expires->second.data(), end, seconds).ptr == end) claim.expires_s = seconds;
  }
  if (std::optional<ApiError> wrong = TakeParts(parts, "X-Amz-", claim)) return std::unexpected(std::move(*wrong));
  return claim;
}

}  // namespace

std::expected<SignatureClaim, ApiError> ReadClaim(const SignedRequest& request) {
  const std::optional<std::string_view> authorization = FindHeader(request, "authorization");
  const std::optional<Parts> query = SplitQuery(request.query);
  const bool in_query = query && query->contains("X-Amz-Algorithm");
  if (authorization && in_query) {
    return std::unexpected(
        ApiError("InvalidSignatureException",
                 "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."));
  }
  if (in_query) return ReadQueryForm(*query);
  if (!authorization) {
    return std::unexpected(ApiError("MissingAuthenticationTokenException", "Missing Authentication Token"));
  }
  return ReadHeaderForm(request, *authorization);
}

}  // namespace sluice::protocol::aws
