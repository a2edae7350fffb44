// The canonical request, the string to sign and its HMAC.
#include "protocol/aws/sigv4.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <utility>

#include "protocol/ascii.h"
#include "protocol/aws/amz_time.h"
#include "protocol/aws/percent.h"
#include "protocol/aws/sigv4_text.h"
#include "protocol/check.h"

namespace sluice::protocol::aws {
namespace {

constexpr std::int64_t kSkewMaxS = 15 * 60;

SigningKey Hmac(std::string_view key, std::string_view text) {
  SigningKey mac;
  unsigned bytes = 0;
  const unsigned char* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
           text.size(), mac.data(), &bytes);
  SLUICE_CHECK(done != nullptr && bytes == mac.size());
  return mac;
}

std::string_view View(const SigningKey& key) { return {reinterpret_cast<const char*>(key.data()), key.size()}; }

std::string Hex(const SigningKey& bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

/// The path as it was sent, encoded once more; a slash where there is none.
void AppendPath(std::string& out, std::string_view path) { AppendPercentEncoded(out, path.empty() ? "/" : path, "/"); }

/// Decoded and encoded again, so that all spellings of a byte are one; sorted by name, then value.
void AppendQuery(std::string& out, std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  const auto normal = [](std::string_view text) {
    std::string encoded;
    AppendPercentEncoded(encoded, PercentDecode(text).value_or(std::string(text)));
    return encoded;
  };
  for (const auto& [name, value] : QueryParameters(query)) {
    if (name != "X-Amz-Signature") parameters.emplace_back(normal(name), normal(value));
  }
  std::ranges::sort(parameters);
  for (const auto& [name, value] : parameters) {
    if (&name != &parameters.front().first) out += '&';
    out += name;
    out += '=';
    out += value;
  }
}

/// Without spaces at both ends, one instead of several in between.
void AppendTrimmed(std::string& out, std::string_view value) {
  const std::size_t start = out.size();
  for (const char c : value) {
    const bool space = c == ' ' || c == '\t';
    if (!space) {
      out += c;
    } else if (out.size() > start && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.size() > start && out.back() == ' ') out.pop_back();
}

/// Clients of HTTP/2 may sign the host under the name that it has there.
void AppendHeader(std::string& out, const SignedRequest& request, std::string_view name) {
  const std::string_view sent = name == ":authority" ? "host" : name;
  out += name;
  out += ':';
  bool first = true;
  for (const HttpHeader& header : request.headers) {
    if (!IsWithoutCase(header.name, sent)) continue;
    if (!std::exchange(first, false)) out += ',';
    AppendTrimmed(out, header.value);
  }
  out += '\n';
}

std::string CanonicalRequest(const SignedRequest& request, const SignatureClaim& claim) {
  std::string text = fmt::format("{}\n", request.method);
  AppendPath(text, request.path);
  text += '\n';
  AppendQuery(text, request.query);
  text += '\n';
  ForEachPart(claim.signed_headers, ';', [&](std::string_view name) { AppendHeader(text, request, name); });
  text += fmt::format("\n{}\n{}", claim.signed_headers, request.body_sha256);
  return text;
}

std::optional<ApiError> CheckTime(const SignatureClaim& claim, std::int64_t now_s) {
  const std::int64_t good_for_s = claim.expires_s.value_or(kSkewMaxS);
  const auto wrong = [](std::string message) { return ApiError("InvalidSignatureException", std::move(message)); };
  if (now_s - claim.time_s > good_for_s) {
    const std::string oldest = FormatAmzTime(now_s - good_for_s);
    if (claim.expires_s) return wrong(fmt::format("Signature expired: {} is now earlier than {}", claim.time, oldest));
    return wrong(fmt::format("Signature expired: {} is now earlier than {} ({} - 15 min.)", claim.time, oldest,
                             FormatAmzTime(now_s)));
  }
  if (claim.time_s - now_s > kSkewMaxS) {
    return wrong(fmt::format("Signature not yet current: {} is still later than {} ({} + 15 min.)", claim.time,
                             FormatAmzTime(now_s + kSkewMaxS), FormatAmzTime(now_s)));
  }
  return std::nullopt;
}

}  // namespace

SigningKey DeriveSigningKey(std::string_view secret_key, const CredentialScope& scope) {
  SigningKey key = Hmac(fmt::format("AWS4{}", secret_key), scope.date);
  for (const std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service), std::string_view("aws4_request")}) {
    key = Hmac(View(key), part);
  }
  return key;
}

std::optional<ApiError> CheckSignature(const SignedRequest& request, const SignatureClaim& claim, const SigningKey& key,
                                       std::int64_t now_s) {
  if (std::optional<ApiError> wrong = CheckTime(claim, now_s)) return wrong;
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}/{}/{}/aws4_request\n{}", claim.time, claim.scope.date, claim.scope.region,
                  claim.scope.service, Sha256Hex(CanonicalRequest(request, claim)));
  const std::string expected = Hex(Hmac(View(key), to_sign));
  if (expected.size() == claim.signature.size() &&
      CRYPTO_memcmp(expected.data(), claim.signature.data(), expected.size()) == 0) {
    return std::nullopt;
  }
  return ApiError(
      "InvalidSignatureException",
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
      "Access Key and signing method. Consult the service documentation for details.");
}

std::string Sha256Hex(std::string_view bytes) {
  SigningKey digest;
  unsigned size = 0;
  const int done = EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  SLUICE_CHECK(done == 1 && size == digest.size());
  return Hex(digest);
}

}  // namespace sluice::protocol::aws
