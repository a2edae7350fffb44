// The client of HTTP services: answers, what is no answer, bounds, TLS, stopping.
#include "broker/delivery/http_client.h"

#include <curl/curl.h>
#include <openssl/crypto.h>

#include <atomic>
#include <fstream>

#include "tests/catch.h"
#include "tests/delivery/fake_endpoint.h"
#include "tests/storage/env/temp_dir.h"

namespace sluice::delivery {
namespace {

using Answer = FakeEndpoint::Answer;
using Request = FakeEndpoint::Request;
using Security = FakeEndpoint::Security;

struct Client {
  explicit Client(const std::string& ca_file = "") : http(ca_file, [this] { return stop.load(); }) {}
  Result<HttpAnswer> Post(const std::string& url, std::string_view body = "x") {
    return http.Post({.url = url, .headers = {{"Content-Type", "text/plain"}}, .body = body});
  }
  std::atomic<bool> stop = false;
  HttpClient http;
};

Answer Echo(const Request& request) {
  return {.body = request.target + "|" + request.content_type + "|" + request.body};
}

}  // namespace

TEST_CASE("HttpClient Post: sends headers and body, gives status, headers and body", "[delivery]") {
  FakeEndpoint endpoint([](const Request& request) {
    Answer answer = Echo(request);
    answer.status = 418;
    answer.headers = {{"X-Amz-Function-Error", "Unhandled"}};
    return answer;
  });
  Client client;
  const auto answer = client.Post(endpoint.Url("/a?b=c"), "body");
  REQUIRE(answer.has_value());
  CHECK(answer->status == 418);
  CHECK(answer->body == "/a?b=c|text/plain|body");
  CHECK(answer->Header("x-amz-function-error") == "Unhandled");
  CHECK(answer->Header("x-other").empty());
}

TEST_CASE("HttpClient Post: one client calls again, with bodies of any size", "[delivery]") {
  FakeEndpoint endpoint(Echo);
  Client client;
  for (const std::size_t bytes : {0u, 1u, 100'000u, 3'000'000u}) {
    const std::string body(bytes, 'b');
    const auto answer =
        client.http.Post({.url = endpoint.Url("/"), .headers = {}, .body = body, .answer_bytes_max = 4u << 20});
    REQUIRE(answer.has_value());
    CHECK(answer->body.size() > bytes);
  }
  CHECK(endpoint.Requests().size() == 4);
}

TEST_CASE("HttpClient Post: nobody there is unavailable", "[delivery]") {
  Client client;
  const std::string url =
      GENERATE(std::string(), std::string("http://no-such-host.invalid/"));  // empty: a port without a listener
  const auto answer = client.Post(url.empty() ? UrlOfNobody() : url);
  REQUIRE(!answer.has_value());
  CHECK(answer.error().code() == Code::kUnavailable);
  CHECK(answer.error().message().starts_with("POST http://"));
}

TEST_CASE("HttpClient Post: a connection that is cut is unavailable", "[delivery]") {
  FakeEndpoint endpoint([](const Request&) { return Answer{.body = "", .how = Answer::How::kCut}; });
  Client client;
  const auto answer = client.Post(endpoint.Url("/"));
  REQUIRE(!answer.has_value());
  CHECK(answer.error().code() == Code::kUnavailable);
}

TEST_CASE("HttpClient Post: no answer in time is a time-out", "[delivery]") {
  FakeEndpoint endpoint([](const Request&) { return Answer{.body = "", .how = Answer::How::kNever}; });
  Client client;
  const auto answer = client.http.Post({.url = endpoint.Url("/"), .headers = {}, .body = "x", .timeout_ms = 300});
  REQUIRE(!answer.has_value());
  CHECK(answer.error().code() == Code::kTimedOut);
}

TEST_CASE("HttpClient Post: an answer of the allowed size, and one byte more", "[delivery]") {
  FakeEndpoint endpoint([](const Request&) { return Answer{.body = std::string(1000, 'a')}; });
  Client client;
  HttpPost post{.url = endpoint.Url("/"), .headers = {}, .body = "", .answer_bytes_max = 1000};
  CHECK(client.http.Post(post).has_value());
  post.answer_bytes_max = 999;
  const auto answer = client.http.Post(post);
  REQUIRE(!answer.has_value());
  CHECK(answer.error().code() == Code::kResourceExhausted);
  CHECK(client.Post(endpoint.Url("/")).has_value());
}

TEST_CASE("HttpClient Post: what is no URL is wrong", "[delivery]") {
  Client client;
  const auto answer = client.Post(GENERATE("http://:-1", "file:///etc/passwd", ""));
  REQUIRE(!answer.has_value());
  CHECK(answer.error().code() == Code::kInvalidArgument);
}

TEST_CASE("HttpClient Post: a redirect is an answer like others", "[delivery]") {
  FakeEndpoint endpoint(
      [](const Request&) { return Answer{.status = 302, .body = "", .headers = {{"Location", "/x"}}}; });
  Client client;
  const auto answer = client.Post(endpoint.Url("/"));
  REQUIRE(answer.has_value());
  CHECK(answer->status == 302);
  CHECK(endpoint.Requests().size() == 1);
}

TEST_CASE("HttpClient Post: ends soon after it is asked to stop", "[delivery]") {
  Client client;
  FakeEndpoint endpoint([&client](const Request&) {
    client.stop = true;
    return Answer{.body = "", .how = Answer::How::kNever};
  });
  const auto answer = client.Post(endpoint.Url("/"));
  REQUIRE(!answer.has_value());
  CHECK(answer.error().code() == Code::kUnavailable);
  CHECK(answer.error().message().ends_with("is asked to stop"));
}

TEST_CASE("HttpClient Post: TLS is trusted by the authorities of the file only", "[delivery]") {
  FakeEndpoint endpoint(Echo, Security::kTls);
  storage::TempDir temp;
  const std::string file = temp.path() + "/ca.pem";
  std::ofstream(file) << endpoint.certificate();
  Client trusting(file);
  const auto answer = trusting.Post(endpoint.Url("/tls"), "body");
  REQUIRE(answer.has_value());
  CHECK(answer->body == "/tls|text/plain|body");
  const auto refused = Client().Post(endpoint.Url("/tls"));
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code() == Code::kUnavailable);
}

TEST_CASE("HttpClient TLS: is that of the system's OpenSSL", "[delivery]") {
  // Whatever else brings OpenSSL's symbols along, what curl has found at run time is what we are linked with.
  CHECK(std::string(curl_version_info(CURLVERSION_NOW)->ssl_version) ==
        "OpenSSL/" + std::string(OpenSSL_version(OPENSSL_VERSION_STRING)));
}

}  // namespace sluice::delivery
