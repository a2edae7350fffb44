// An HTTP endpoint on loopback at a free port, which answers as a test says; also over TLS, with a certificate of its
// own. One connection and one request at a time.
//
// The answers are made on the endpoint's thread; the rest is for the test's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::delivery {

class FakeEndpoint {
 public:
  struct Request {
    std::string target;
    std::string content_type;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers = {};  // names in lower case

    /// Empty where it is absent.
    std::string Header(std::string_view name) const;
  };
  struct Answer {
    enum class How : std::uint8_t { kWhole, kNever, kCut };  // kNever: until the client goes; kCut: closes instead
    int status = 200;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers = {};
    How how = How::kWhole;
  };
  using Handler = std::function<Answer(const Request& request)>;
  enum class Security : std::uint8_t { kPlain, kTls };

  explicit FakeEndpoint(Handler handler, Security security = Security::kPlain);
  ~FakeEndpoint();

  /// "http://127.0.0.1:PORT" and the path.
  std::string Url(std::string_view path = "") const;
  /// In PEM; with TLS.
  const std::string& certificate() const;
  /// Those that have arrived, whole.
  std::vector<Request> Requests() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The URL of a port at which nobody listens.
std::string UrlOfNobody();

}  // namespace sluice::delivery
