// AWS Signature Version 4: who signed a request, and whether the signature is right ("Create a signed AWS API request",
// AWS IAM user guide). Header form and query form.
//
//     auto claim = ReadClaim(request);                        // who says to have signed it, and how
//     auto key = DeriveSigningKey(secret_of(claim->access_key), claim->scope);   // same for a day: keep it
//     auto wrong = CheckSignature(request, *claim, key, now_s);
//
// Values only. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/aws/error.h"

namespace sluice::protocol::aws {

struct HttpHeader {
  std::string_view name;  // any case
  std::string_view value;
};

/// The request as it came, before any decoding.
struct SignedRequest {
  std::string_view method;
  std::string_view path;   // of the request target, without the query
  std::string_view query;  // without the question mark
  std::span<const HttpHeader> headers;
  std::string_view body_sha256;  // 64 lower-case hexadecimal digits
};

/// Views.
struct CredentialScope {
  std::string_view date;  // YYYYMMDD
  std::string_view region;
  std::string_view service;
  friend bool operator==(const CredentialScope&, const CredentialScope&) = default;
};

/// What the request says about its signature; nothing of it is proven. Views into the request, or into `texts`.
struct SignatureClaim {
  std::string_view access_key;
  CredentialScope scope;
  std::string_view signed_headers;  // in lower case, with semicolons between them
  std::string_view signature;
  std::string_view time;  // YYYYMMDDTHHMMSSZ
  std::int64_t time_s = 0;
  std::optional<std::int64_t> expires_s;  // query form: how long it is good for
  bool in_query = false;
  std::unique_ptr<std::deque<std::string>> texts;  // what does not stand in the request as it is here
};

using SigningKey = std::array<unsigned char, 32>;

/// Missing or malformed parts are the error that AWS answers.
std::expected<SignatureClaim, ApiError> ReadClaim(const SignedRequest& request);

SigningKey DeriveSigningKey(std::string_view secret_key, const CredentialScope& scope);

/// nullopt where `key` made the signature and `now_s` is within 15 minutes of its time (query form: within its expiry).
std::optional<ApiError> CheckSignature(const SignedRequest& request, const SignatureClaim& claim, const SigningKey& key,
                                       std::int64_t now_s);

/// 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);

}  // namespace sluice::protocol::aws
