// A client of HTTP services that delivery calls: one POST at a time, with bounds on time and on the answer's size.
//
// Connections are kept between calls to one address. Redirects are not followed, and no proxy is used: what is named is
// what is called. Certificates are checked, against the system's authorities or those of a file.
//
// One thread at a time; calls block. When the stop flag is set, a call ends within about a second.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/status.h"

namespace sluice::delivery {

/// Names are in lower case in answers.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpPost {
  std::string url;  // http:// or https://
  HttpHeaders headers;
  std::string_view body;
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

class HttpClient {
 public:
  /// `stop` outlives the client. An empty `ca_file`: the system's authorities.
  HttpClient(std::string ca_file, const std::atomic<bool>& stop);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Any status is an answer. kUnavailable: nobody answered (no address, no connection, no trust, the connection broke,
  /// the broker is stopping). kTimedOut: there was a connection, and no whole answer in time. kResourceExhausted: the
  /// answer is larger than allowed. kInvalidArgument: the URL is none.
  Result<HttpAnswer> Post(const HttpPost& post);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::delivery
