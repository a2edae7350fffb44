// The TLS port over real sockets: both versions of HTTP, what is not TLS, deadlines, the end, a changed certificate.
#include <sys/socket.h>

#include <string>
#include <thread>

#include "storage/env/memory_env.h"
#include "tests/broker/aws/door_fixture.h"
#include "tests/broker/aws/http2_peer.h"
#include "tests/broker/aws/tls_peer.h"
#include "tests/catch.h"

namespace sluice::broker::aws {
namespace {

constexpr const char* kEcho = R"({"Text":"a"})";

/// Its clock stands still until it is moved.
struct TlsPort {
  explicit TlsPort(std::size_t loop_count = 1)
      : port({.tls = {.files = {.certificate = "/certificate", .key = "/key"}}}, loop_count, MakeEnv()) {}

  std::unique_ptr<storage::Env> MakeEnv() {
    auto made = std::make_unique<storage::MemoryEnv>();
    env = made.get();
    Write({});
    return made;
  }
  void Write(const TestCertificate& test) {
    env->WriteByHand("/certificate", test.certificate);
    env->WriteByHand("/key", test.key);
  }
  std::string Metrics() {
    broker::Metrics metrics(1);
    metrics.AddSource([&](MetricSink& sink) { port.door->CollectMetrics(sink); });
    return metrics.Render();
  }
  void WaitForMetric(const std::string& line) {
    while (Metrics().find("\n" + line + "\n") == std::string::npos) std::this_thread::yield();
  }
  std::uint16_t tls_port() const { return port.door->tls_port(); }

  storage::MemoryEnv* env = nullptr;
  AwsPort port;
};

TEST_CASE("AwsDoor TLS: HTTP/1.1, with and without ALPN", "[aws]") {
  TlsPort port(GENERATE(1u, 2u));
  const bool alpn = GENERATE(true, false);
  TlsClient client(port.tls_port(),
                   {.protocols = alpn ? std::vector<std::string>{"http/1.1"} : std::vector<std::string>{},
                    .old_version = GENERATE(true, false)});
  CHECK(client.peer().protocol() == (alpn ? "http/1.1" : ""));
  const std::string large(3u << 20, 'x');
  for (const std::string& text : {std::string("a"), large, std::string("b")}) {
    client.Send(HttpClient::Post("Echo", R"({"Text":")" + text + R"("})"));
    const auto answer = client.Receive();
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(answer->body.find(text) != std::string::npos);
  }
}

TEST_CASE("AwsDoor TLS: HTTP/2, with and without ALPN", "[aws]") {
  TlsPort port;
  const bool alpn = GENERATE(true, false);
  TlsClient client(port.tls_port(),
                   {.protocols = alpn ? std::vector<std::string>{"h2", "http/1.1"} : std::vector<std::string>{}});
  CHECK(client.peer().protocol() == (alpn ? "h2" : ""));
  Http2Peer peer;
  const std::int32_t stream =
      peer.Post({{"content-type", "application/x-amz-json-1.1"}, {"x-amz-target", "Test_1.Echo"}}, kEcho);
  client.Send(peer.Output());
  while (!peer.answer(stream).ended) {
    const std::string bytes = client.ReceiveSome();
    REQUIRE_FALSE(bytes.empty());
    REQUIRE(peer.Receive(bytes));
    client.Send(peer.Output());
  }
  CHECK(peer.answer(stream).fields.at(":status") == "200");
}

TEST_CASE("AwsDoor TLS: where HTTP/2 was agreed on, another preface ends the connection", "[aws]") {
  TlsPort port;
  TlsClient client(port.tls_port(), {.protocols = {"h2"}});
  client.Send(HttpClient::Post("Echo", kEcho));
  std::string answer;
  for (std::string bytes; !(bytes = client.ReceiveSome()).empty();) answer += bytes;
  CHECK_FALSE(answer.contains("HTTP/1.1"));
  constexpr std::string_view kGoAway("\0\0\x08\x07\0\0\0\0\0", 9);  // its frame's header, on stream 0
  CHECK(answer.contains(kGoAway));
}

TEST_CASE("AwsDoor TLS: plain bytes end their own connection, and count as a protocol error", "[aws]") {
  TlsPort port;
  TlsClient good(port.tls_port());
  HttpClient plain(port.tls_port());
  plain.Send(HttpClient::Post("Echo", kEcho));
  while (!plain.ReceiveSome().empty()) {
  }
  ::shutdown(plain.socket(), SHUT_RDWR);
  port.WaitForMetric("sluice_aws_protocol_errors_total 1");
  good.Send(HttpClient::Post("Echo", kEcho));
  CHECK(good.Receive()->status == 200);
  CHECK(port.Metrics().find("\nsluice_aws_requests_total 1\n") != std::string::npos);
}

TEST_CASE("AwsDoor TLS: a client that speaks no protocol of ours is told so", "[aws]") {
  TlsPort port;
  TlsClient client(port.tls_port(), {.protocols = {"imap"}});
  CHECK(client.peer().failed());
  ::shutdown(client.socket(), SHUT_RDWR);
  port.WaitForMetric("sluice_aws_protocol_errors_total 1");
}

TEST_CASE("AwsDoor TLS: a handshake or a first request that does not come is cut", "[aws]") {
  TlsPort port;
  HttpClient silent(port.tls_port());
  HttpClient slow(port.tls_port());
  slow.Send(TlsPeer({}).Output().substr(0, 20));
  TlsClient shaken(port.tls_port());
  port.WaitForMetric("sluice_aws_connections 3");
  port.env->manual_clock().AdvanceMs(AwsDoorOptions().request_timeout_ms);
  CHECK(silent.ReceiveSome().empty());
  CHECK(slow.ReceiveSome().empty());
  CHECK(shaken.ReceiveSome().empty());
  CHECK(shaken.peer().ended());
  CHECK(port.Metrics().find("\nsluice_aws_protocol_errors_total 0\n") != std::string::npos);
}

TEST_CASE("AwsDoor TLS: a client that says goodbye is answered, and the connection ends", "[aws]") {
  TlsPort port;
  TlsClient client(port.tls_port());
  client.Send(HttpClient::Post("Hold", "{}"));
  client.peer().Close();
  client.Send("");  // the close_notify
  port.port.WaitForHeld(1);
  for (const CallPtr& call : port.port.held.Take()) call->Answer("held");
  CHECK(client.Receive()->body == "held");
  CHECK(client.ReceiveSome().empty());
  CHECK(client.peer().ended());
}

TEST_CASE("AwsDoor TLS: a client that asks for new keys again and again is served", "[aws]") {
  TlsPort port;
  TlsClient client(port.tls_port());
  for (int i = 0; i < 2'000; ++i) {
    client.peer().ChangeKeys();
    client.Send("");
  }
  client.Send(HttpClient::Post("Echo", kEcho));
  CHECK(client.Receive()->status == 200);
}

TEST_CASE("AwsDoor TLS: a stop answers what was taken, and says goodbye", "[aws]") {
  TlsPort port;
  TlsClient client(port.tls_port());
  TlsClient idle(port.tls_port());
  client.Send(HttpClient::Post("Hold", "{}"));
  idle.Send(HttpClient::Post("Echo", kEcho));
  CHECK(idle.Receive()->status == 200);
  port.port.WaitForHeld(1);
  bool clean = false;
  std::thread stopper([&] { clean = port.port.Stop(10'000); });
  CHECK(idle.ReceiveSome().empty());
  CHECK(idle.peer().ended());
  for (const CallPtr& call : port.port.held.Take()) call->Answer("held");
  CHECK(client.Receive()->head.find("Connection: close\r\n") != std::string::npos);
  CHECK(client.ReceiveSome().empty());
  CHECK(client.peer().ended());
  ::shutdown(client.socket(), SHUT_RDWR);
  stopper.join();
  CHECK(clean);
}

TEST_CASE("AwsDoor TLS: a changed certificate is shown to new connections", "[aws]") {
  TlsPort port;
  TlsClient before(port.tls_port());
  const TestCertificate next;
  port.Write(next);
  port.env->manual_clock().AdvanceMs(5'000);
  TlsClient after(port.tls_port());
  CHECK(before.peer().certificate() != next.certificate);
  CHECK(after.peer().certificate() == next.certificate);
  port.env->WriteByHand("/key", "broken");
  port.env->manual_clock().AdvanceMs(5'000);
  TlsClient still(port.tls_port());
  CHECK(still.peer().certificate() == next.certificate);
  before.Send(HttpClient::Post("Echo", kEcho));
  CHECK(before.Receive()->status == 200);
}

TEST_CASE("AwsDoor Start: a TLS port in use names the setting", "[aws]") {
  TlsPort port;
  const auto second = AwsDoor::Start(
      port.port.parts(), {},
      {.port = 0, .tls = {.port = port.tls_port(), .files = {.certificate = "/certificate", .key = "/key"}}});
  REQUIRE(!second.has_value());
  CHECK(second.error().code() == Code::kUnavailable);
  CHECK(second.error().message().find("aws.tls_port") != std::string::npos);
}

}  // namespace
}  // namespace sluice::broker::aws
