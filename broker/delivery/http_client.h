// A client of HTTP services that delivery calls: one POST at a time, with bounds on time and on the answer's size.
//
// Connections are kept between calls to one address. Redirects are not followed, and no proxy is used: what is named is
// what is called. Certificates are checked, against the system's authorities or those of a file.
//
// One thread at a time; calls block. One that is asked to stop ends within about a second.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/status.h"

namespace sluice::delivery {

/// Names are in lower case in answers.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// Whose AWS Signature Version 4 goes with a request.
struct AwsSigner {
  std::string region;
  std::string service;  // "es", "lambda"
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // empty: none
};

struct HttpPost {
  std::string url;  // http:// or https://
  HttpHeaders headers;
  std::string_view body = {};
  const AwsSigner* signer = nullptr;  // nullptr: it is not signed. Else the query has to be in AWS's canonical form
  std::int64_t connect_timeout_ms = 10'000;
  std::int64_t timeout_ms = 60'000;  // of all of it
  std::uint64_t answer_bytes_max = 1u << 20;
};

struct HttpAnswer {
  int status = 0;
  HttpHeaders headers;
  std::string body;

  /// Empty where it is absent.
  std::string_view Header(std::string_view name) const;
};

/// Whether it begins with http:// or https:// and has no white space.
bool IsHttpUrl(std::string_view text);

/// Without what may be a secret: a name and a password in front of the host, and what stands behind a '?'.
std::string TellableUrl(std::string_view url);

class HttpClient {
 public:
  /// A call ends soon after `stop` gives true. An empty `ca_file`: the system's authorities.
  HttpClient(std::string ca_file, std::function<bool()> stop);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// From now on what servers set as cookies goes back to them: a load balancer tells by them which server was asked
  /// before.
  void KeepCookies();

  /// Messages name the URL as TellableUrl has it. Any status is an answer. kUnavailable: nobody answered (no address,
  /// no connection, no trust, the connection broke, it was asked to stop). kTimedOut: there was a connection, and no
  /// whole answer in time. kResourceExhausted: the answer is larger than allowed. kInvalidArgument: the URL is none.
  Result<HttpAnswer> Post(const HttpPost& post);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::delivery
