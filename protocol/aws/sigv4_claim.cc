// ReadClaim: the parts of a signature, from the Authorization header or from the query.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/container/small_vector.hpp>
#include <charconv>
#include <optional>
#include <ranges>
#include <string>
#include <utility>

#include "protocol/ascii.h"
#include "protocol/aws/amz_time.h"
#include "protocol/aws/percent.h"
#include "protocol/aws/sigv4.h"
#include "protocol/aws/sigv4_text.h"

namespace sluice::protocol::aws {
namespace {

/// Named parts, a handful; of those with one name the first counts.
class Parts {
 public:
  void Add(std::string_view name, std::string_view value) { parts_.emplace_back(name, value); }
  std::optional<std::string_view> Find(std::string_view name) const {
    const auto found = std::ranges::find(parts_, name, &Part::first);
    return found == parts_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  using Part = std::pair<std::string_view, std::string_view>;
  boost::container::small_vector<Part, 4> parts_;
};

/// What a form calls the three parts that both have.
struct PartNames {
  std::string_view credential;
  std::string_view signed_headers;
  std::string_view signature;
};
constexpr PartNames kHeaderNames{"Credential", "SignedHeaders", "Signature"};
constexpr PartNames kQueryNames{"X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature"};

ApiError Incomplete(std::string message) { return {"IncompleteSignatureException", std::move(message)}; }

std::optional<std::string_view> FindHeader(const SignedRequest& request, std::string_view lower_name) {
  for (const HttpHeader& header : request.headers) {
    if (IsWithoutCase(header.name, lower_name)) return header.value;
  }
  return std::nullopt;
}

/// Keeps a text as long as the claim.
std::string_view Keep(SignatureClaim& claim, std::string text) {
  if (claim.texts == nullptr) claim.texts = std::make_unique<std::deque<std::string>>();
  return claim.texts->emplace_back(std::move(text));
}

/// `NAME=VALUE` parts that are separated by commas, spaces, or both.
Parts SplitAuthorization(std::string_view value) {
  Parts parts;
  while (!value.empty()) {
    const std::size_t end = std::min(value.find_first_of(", "), value.size());
    const std::string_view part = value.substr(0, end);
    const std::size_t equals = part.find('=');
    if (equals != part.npos) parts.Add(part.substr(0, equals), part.substr(equals + 1));
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return parts;
}

/// The X-Amz-* parameters of the query, decoded. nullopt where a part of it cannot be decoded.
std::optional<Parts> SplitQuery(std::string_view query, SignatureClaim& claim) {
  Parts parts;
  for (const auto& [name, value] : QueryParameters(query)) {
    auto decoded_name = PercentDecode(name);
    auto decoded_value = PercentDecode(value);
    if (!decoded_name || !decoded_value) return std::nullopt;
    parts.Add(Keep(claim, std::move(*decoded_name)), Keep(claim, std::move(*decoded_value)));
  }
  return parts;
}

/// KEY/DATE/REGION/SERVICE/aws4_request into the claim.
std::optional<ApiError> TakeCredential(std::string_view credential, SignatureClaim& claim) {
  std::array<std::string_view, 5> elements;
  std::size_t count = 0;
  for (const auto element : std::views::split(credential, '/')) {
    if (count < elements.size()) elements[count] = std::string_view(element);
    ++count;
  }
  if (count != elements.size()) {
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
  claim.scope = {elements[1], elements[2], elements[3]};
  return std::nullopt;
}

/// `parts` has all three.
std::optional<ApiError> TakeParts(const Parts& parts, const PartNames& names, SignatureClaim& claim) {
  claim.signature = *parts.Find(names.signature);
  claim.signed_headers = *parts.Find(names.signed_headers);
  if (!IsWithoutCase(claim.signed_headers, claim.signed_headers)) {  // clients send them in lower case
    claim.signed_headers = Keep(claim, Lower(claim.signed_headers));
  }
  if (claim.signed_headers.ends_with(';')) claim.signed_headers.remove_suffix(1);
  if (std::optional<ApiError> wrong = TakeCredential(*parts.Find(names.credential), claim)) return wrong;
  bool has_host = false;
  ForEachPart(claim.signed_headers, ';',
              [&](std::string_view name) { has_host |= name == "host" || name == ":authority"; });
  if (!has_host) {
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
  if (time) {
    claim.time = *text;
  } else if ((time = ParseHttpDate(*text))) {
    claim.time = Keep(claim, FormatAmzTime(*time));
  } else {
    return false;
  }
  claim.time_s = *time;
  return true;
}

std::optional<ApiError> ReadHeaderForm(const SignedRequest& request, std::string_view authorization,
                                       SignatureClaim& claim) {
  const Parts parts = SplitAuthorization(authorization);
  std::string missing;
  for (const char* name : {"Credential", "Signature", "SignedHeaders"}) {
    if (!parts.Find(name)) missing += fmt::format("Authorization header requires '{}' parameter. ", name);
  }
  if (!TakeHeaderTime(request, claim)) {
    missing += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  }
  if (!missing.empty()) return Incomplete(fmt::format("{}Authorization={}", missing, authorization));
  return TakeParts(parts, kHeaderNames, claim);
}

std::optional<ApiError> ReadQueryForm(const Parts& parts, SignatureClaim& claim) {
  claim.in_query = true;
  std::string missing;
  for (const char* name :
       {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"}) {
    if (parts.Find(name).value_or("").empty()) {
      missing += fmt::format("AWS query-string parameters must include '{}'. ", name);
    }
  }
  if (!missing.empty()) return Incomplete(missing + "Re-examine the query-string parameters.");
  claim.time = *parts.Find("X-Amz-Date");
  const std::optional<std::int64_t> time = ParseAmzTime(claim.time);
  if (!time) {
    return Incomplete(
        fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'. See "
                    "http://en.wikipedia.org/wiki/ISO_8601",
                    claim.time));
  }
  claim.time_s = *time;
  if (const auto expires = parts.Find("X-Amz-Expires")) {
    std::int64_t seconds = 0;
    const char* end = expires->data() + expires->size();
    if (std::from_chars(expires->data(), end, seconds).ptr == end) claim.expires_s = seconds;
  }
  return TakeParts(parts, kQueryNames, claim);
}

}  // namespace

std::expected<SignatureClaim, ApiError> ReadClaim(const SignedRequest& request) {
  const std::optional<std::string_view> authorization = FindHeader(request, "authorization");
  SignatureClaim claim;
  const std::optional<Parts> query = SplitQuery(request.query, claim);
  const bool in_query = query && query->Find("X-Amz-Algorithm");
  if (authorization && in_query) {
    return std::unexpected(
        ApiError("InvalidSignatureException",
                 "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."));
  }
  if (!in_query && !authorization) {
    return std::unexpected(ApiError("MissingAuthenticationTokenException", "Missing Authentication Token"));
  }
  std::optional<ApiError> wrong =
      in_query ? ReadQueryForm(*query, claim) : ReadHeaderForm(request, *authorization, claim);
  if (wrong) return std::unexpected(std::move(*wrong));
  return claim;
}

}  // namespace sluice::protocol::aws
