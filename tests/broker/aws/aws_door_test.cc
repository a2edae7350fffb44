// The AWS port over real sockets: both versions of HTTP, limits, deadlines, back-pressure, the end.
#include "broker/api/aws/aws_door.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <thread>

#include "tests/broker/aws/door_fixture.h"
#include "tests/broker/aws/http2_peer.h"
#include "tests/broker/aws/sign.h"
#include "tests/broker/stderr_of.h"
#include "tests/catch.h"

namespace sluice::broker::aws {
namespace {

std::string Echo(std::string_view text) { return R"({"Text":")" + std::string(text) + R"("})"; }

std::int32_t PostTo(Http2Peer& peer, std::string_view operation, std::string_view body, bool ends = true) {
  return peer.Post(
      {{"content-type", "application/x-amz-json-1.1"}, {"x-amz-target", "Test_1." + std::string(operation)}}, body,
      ends);
}

template <typename Enough>
void ExchangeUntil(HttpClient& socket, Http2Peer& peer, Enough enough) {
  socket.Send(peer.Output());
  while (!enough()) {
    const std::string bytes = socket.ReceiveSome();
    REQUIRE_FALSE(bytes.empty());
    REQUIRE(peer.Receive(bytes));
    socket.Send(peer.Output());
  }
}

/// The answers of all `streams` have come.
void Exchange(HttpClient& socket, Http2Peer& peer, const std::vector<std::int32_t>& streams) {
  ExchangeUntil(socket, peer, [&] {
    return std::ranges::all_of(streams, [&](std::int32_t stream) { return peer.answer(stream).ended; });
  });
}

/// The head of a request, whose body is to follow.
std::string HeadOf(std::size_t body_bytes) {
  return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n\r\n";
}

TEST_CASE("AwsDoor: HTTP/1.1, request after request on one connection", "[aws]") {
  AwsPort port({}, GENERATE(1u, 2u));
  HttpClient client(port.port());
  for (const char* operation : {"Echo", "EchoBlocking", "Echo"}) {
    client.Send(HttpClient::Post(operation, Echo("a")));
    const auto answer = client.Receive();
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(answer->head.find("Content-Type: application/x-amz-json-1.1\r\n") != std::string::npos);
    CHECK(answer->head.find("\r\nConnection:") == std::string::npos);
    CHECK(answer->body == R"({"Text":"a","Account":"000000000000","Region":"us-east-1"})");
  }
  client.Send(HttpClient::Post("Refuse", "{}"));
  CHECK(client.Receive()->status == 400);
}

TEST_CASE("AwsDoor: a request that comes byte by byte", "[aws]") {
  AwsPort port;
  HttpClient client(port.port());
  for (const char byte : HttpClient::Post("Echo", Echo("a"))) client.Send({&byte, 1});
  CHECK(client.Receive()->status == 200);
}

TEST_CASE("AwsDoor: pipelined requests are answered in order", "[aws]") {
  AwsPort port;
  HttpClient client(port.port());
  client.Send(HttpClient::Post("Hold", "{}") + HttpClient::Post("EchoBlocking", Echo("b")) +
              HttpClient::Post("Echo", Echo("c")));
  port.WaitForHeld(1);
  for (const CallPtr& call : port.held.Take()) call->Answer("held");
  CHECK(client.Receive()->body == "held");
  CHECK(client.Receive()->body.starts_with(R"({"Text":"b")"));
  CHECK(client.Receive()->body.starts_with(R"({"Text":"c")"));
}

TEST_CASE("AwsDoor: every answer says which it is, and when", "[aws]") {
  AwsPort port({.request_timeout_ms = 300});
  const auto [request, status] = GENERATE(table<std::string, int>({
      {HttpClient::Post("Empty", "{}"), 200},
      {"no HTTP\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHo", 408},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\nHost: " + std::string(40'000, 'a') + "\r\n\r\n", 431},
  }));
  HttpClient client(port.port());
  client.Send(request);
  const auto answer = client.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->status == status);
  for (const char* field : {"x-amzn-RequestId: ", "x-amz-id-2: ", "Date: "}) {
    CHECK(answer->head.find(field) != std::string::npos);
  }
}

TEST_CASE("AwsDoor: HTTP/2 with prior knowledge, answers as they are ready", "[aws]") {
  AwsPort port({}, GENERATE(1u, 2u));
  HttpClient socket(port.port());
  Http2Peer peer;
  const auto post = [&](const char* operation, std::string_view body) {
    return peer.Post(
        {{"content-type", "application/x-amz-json-1.1"}, {"x-amz-target", std::string("Test_1.") + operation}}, body);
  };
  const std::int32_t held = post("Hold", "{}");
  const std::string large(3u << 20, 'x');
  const std::int32_t blocking = post("EchoBlocking", Echo(large));
  const std::int32_t small = post("Echo", Echo("a"));
  Exchange(socket, peer, {blocking, small});
  CHECK(peer.answer(small).fields.at(":status") == "200");
  CHECK(peer.answer(small).fields.at("content-type") == "application/x-amz-json-1.1");
  CHECK(peer.answer(blocking).body.find(large) != std::string::npos);
  CHECK_FALSE(peer.answer(held).ended);
  port.WaitForHeld(1);
  for (const CallPtr& call : port.held.Take()) call->Fail({"InternalFailure", "late", 500});
  Exchange(socket, peer, {held});
  CHECK(peer.answer(held).fields.at(":status") == "500");
}

TEST_CASE("AwsDoor: signatures are checked over both versions of HTTP", "[aws]") {
  AwsPort port({.auth = {.access_keys = {{"AKIA1", "secret"}}}});
  const bool right = GENERATE(true, false);
  HttpRequest request{.method = "POST", .path = "/", .query = {}, .fields = {}, .body = Echo("a"), .share = {}};
  request.fields = {
      {"host", "localhost:4566"}, {"content-type", "application/x-amz-json-1.1"}, {"x-amz-target", "Test_1.Echo"}};
  Sign(request, {.access_key = "AKIA1",
                 .secret = right ? "secret" : "another",
                 .region = "eu-west-1",
                 .service = "test",
                 .time_s = port.env->clock().WallMs() / 1'000});
  const std::string expected = right ? R"("Region":"eu-west-1"})" : "InvalidSignatureException";

  std::string text = "POST / HTTP/1.1\r\nContent-Length: " + std::to_string(request.body.size()) + "\r\n";
  for (const HttpField field : request.fields.all()) text.append(field.name).append(": ").append(field.value) += "\r\n";
  HttpClient client(port.port());
  client.Send(text + "\r\n" + request.body);
  const auto answer = client.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->status == (right ? 200 : 400));
  CHECK(answer->body.find(expected) != std::string::npos);

  HttpClient socket(port.port());
  Http2Peer peer;
  Http2Peer::Fields fields;
  for (const HttpField field : request.fields.all()) {
    if (field.name != "host") fields.emplace_back(field.name, field.value);  // :authority stands for it
  }
  const std::int32_t stream = peer.Post(fields, request.body);
  Exchange(socket, peer, {stream});
  CHECK(peer.answer(stream).fields.at(":status") == (right ? "200" : "400"));
  CHECK(peer.answer(stream).body.find(expected) != std::string::npos);
}

TEST_CASE("AwsDoor: what is no HTTP ends its own connection, and nothing else", "[aws]") {
  AwsPort port;
  HttpClient good(port.port());
  HttpClient bad(port.port());
  bad.Send(std::string("\x16\x03\x01\0\xff no TLS here\r\n\r\n", 21));
  CHECK(bad.Receive()->status == 400);
  CHECK(bad.ReceiveSome().empty());
  HttpClient half(port.port());
  half.Send("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
  CHECK(half.Receive()->status == 400);
  good.Send(HttpClient::Post("Echo", Echo("a")));
  CHECK(good.Receive()->status == 200);
}

TEST_CASE("AwsDoor: a body over the limit is answered, and the connection ends", "[aws]") {
  AwsPort port({.limits = {.body_bytes_max = 1'000}});
  HttpClient client(port.port());
  client.Send(HttpClient::Post("Echo", Echo(std::string(1'000, 'x'))));
  const auto answer = client.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->status == 413);
  CHECK(answer->body.find("RequestEntityTooLargeException") != std::string::npos);
  CHECK(client.ReceiveSome().empty());
}

TEST_CASE("AwsDoor: bodies of all connections share a bound", "[aws]") {
  AwsPort port({.body_bytes_max = 3'000});
  HttpClient holder(port.port());
  HttpClient other(port.port());
  holder.Send(HttpClient::Post("Hold", R"({"x":")" + std::string(2'000, 'x') + R"("})"));
  port.WaitForHeld(1);
  other.Send(HttpClient::Post("Echo", Echo(std::string(2'000, 'x'))));
  CHECK(other.Receive()->status == 503);
  for (const CallPtr& call : port.held.Take()) call->Answer("");
  CHECK(holder.Receive()->status == 200);
  HttpClient again(port.port());
  again.Send(HttpClient::Post("Echo", Echo(std::string(2'000, 'x'))));
  CHECK(again.Receive()->status == 200);
}

/// Resets streams as fast as it can, until the broker has enough of it.
void ResetStreams(std::uint16_t port) {
  HttpClient socket(port);
  Http2Peer peer;
  for (int i = 0; i < 1'000; ++i) {
    const std::int32_t stream = PostTo(peer, "Hold", "{}");
    socket.Send(peer.Output());
    peer.Reset(stream);
  }
  ExchangeUntil(socket, peer, [&] { return peer.goaway().has_value(); });
}

TEST_CASE("AwsDoor: good clients are answered beside slow bodies, oversized bodies and rapid resets", "[aws]") {
  constexpr std::size_t kMiB = 1u << 20;
  AwsPort port({.body_bytes_max = 8 * kMiB, .limits = {.body_bytes_max = 4 * kMiB}});
  HttpClient good(port.port());
  HttpClient socket(port.port());
  Http2Peer good_peer;
  const auto good_ones_are_answered = [&] {
    const std::string body = Echo(std::string(500'000, 'x'));
    good.Send(HttpClient::Post("Echo", body));
    CHECK(good.Receive()->status == 200);
    const std::int32_t stream = PostTo(good_peer, "Echo", body);
    Exchange(socket, good_peer, {stream});
    CHECK(good_peer.answer(stream).fields.at(":status") == "200");
  };
  std::vector<std::unique_ptr<HttpClient>> slow;
  for (int i = 0; i < 3; ++i) {
    slow.push_back(std::make_unique<HttpClient>(port.port()));
    slow.back()->Send(HeadOf(3 * kMiB) + std::string(2 * kMiB, 'x'));
  }
  port.WaitForMetric("sluice_aws_body_bytes", 6 * kMiB);
  HttpClient another(port.port());
  another.Send(HeadOf(3 * kMiB) + std::string(2 * kMiB, 'x'));
  CHECK(another.Receive()->status == 503);
  HttpClient slow_socket(port.port());
  Http2Peer slow_peer;
  const std::int32_t refused = PostTo(slow_peer, "Echo", std::string(2 * kMiB, 'x'), false);
  Exchange(slow_socket, slow_peer, {refused});
  CHECK(slow_peer.answer(refused).fields.at(":status") == "503");
  good_ones_are_answered();
  HttpClient oversized(port.port());
  oversized.Send(HeadOf(5 * kMiB));
  CHECK(oversized.Receive()->status == 413);
  good_ones_are_answered();
  ResetStreams(port.port());
  good_ones_are_answered();
  for (const CallPtr& call : port.held.Take()) call->Answer("");
  slow.pop_back();
  port.WaitForMetric("sluice_aws_body_bytes", 4 * kMiB);
  slow[0]->Send(std::string(kMiB, 'x'));
  CHECK(slow[0]->Receive()->status == 403);  // it names no operation
}

TEST_CASE("AwsDoor: answers that are not taken share a bound, and other clients are answered", "[aws]") {
  AwsPort port({.body_bytes_max = 8u << 20});
  auto socket = std::make_unique<HttpClient>(port.port());
  Http2Peer peer(Http2Peer::Windows::kShut);
  const auto status_of_echo = [&](std::size_t bytes) {
    const std::int32_t stream = PostTo(peer, "Echo", Echo(std::string(bytes, 'x')));
    ExchangeUntil(*socket, peer, [&] { return peer.answer(stream).fields.contains(":status"); });
    CHECK(peer.answer(stream).fields.contains("x-amzn-requestid"));
    return peer.answer(stream).fields.at(":status");
  };
  constexpr std::size_t kLarge = 1'400'000;
  for (int i = 0; i < 4; ++i) CHECK(status_of_echo(kLarge) == "200");
  CHECK(status_of_echo(kLarge) == "503");
  HttpClient good(port.port());
  const auto status_of_good = [&](std::size_t bytes) {
    good.Send(HttpClient::Post("Echo", Echo(std::string(bytes, 'x'))));
    return good.Receive()->status;
  };
  CHECK(status_of_good(kLarge) == 503);
  CHECK(status_of_good(500'000) == 200);
  for (int i = 0; i < 7; ++i) CHECK(status_of_echo(100'000) == "200");  // small ones are kept; the last one fills it up
  PostTo(peer, "Hold", "{}");
  socket->Send(peer.Output());
  port.WaitForMetric("sluice_aws_body_bytes", 2);
  // What waits behind an answer goes on once that is sent, though the memory is still full.
  const std::string two =
      HttpClient::Post("Echo", Echo(std::string(500'000, 'x'))) + HttpClient::Post("Echo", Echo("b"));
  good.Send(two);
  CHECK(good.Receive()->status == 200);
  CHECK(good.Receive()->status == 200);
  CHECK(port.held.size() == 0);
  SECTION("the client takes them") {
    peer.OpenWindow(0, 64 << 20);
    for (std::int32_t stream = 1; stream <= 23; stream += 2) peer.OpenWindow(stream, 8 << 20);
    ExchangeUntil(*socket, peer, [&] { return port.held.size() == 1; });
    for (const CallPtr& call : port.held.Take()) call->Answer("");
  }
  SECTION("the client goes") { socket.reset(); }
  port.WaitForMetric("sluice_aws_answer_bytes", 0);
  CHECK(status_of_good(kLarge) == 200);
}

TEST_CASE("AwsDoor: connections over the limit are closed", "[aws]") {
  AwsPort port({.connections_max = 1});
  HttpClient first(port.port());
  first.Send(HttpClient::Post("Echo", Echo("a")));
  CHECK(first.Receive()->status == 200);
  HttpClient second(port.port());
  CHECK(second.ReceiveSome().empty());
  first.Send(HttpClient::Post("Echo", Echo("a")));
  CHECK(first.Receive()->status == 200);
}

TEST_CASE("AwsDoor: deadlines end connections that say too little", "[aws]") {
  AwsPort port({.request_timeout_ms = 300, .idle_timeout_ms = 1'000});
  HttpClient silent(port.port());
  HttpClient slow(port.port());
  HttpClient slow_body(port.port());
  HttpClient idle(port.port());
  slow.Send("POST / HTTP/1.1\r\nHo");
  slow_body.Send(HeadOf(100) + "{");
  idle.Send(HttpClient::Post("Echo", Echo("a")));
  CHECK(silent.ReceiveSome().empty());
  CHECK(slow.Receive()->status == 408);
  CHECK(slow.ReceiveSome().empty());
  CHECK(slow_body.Receive()->status == 408);
  CHECK(slow_body.ReceiveSome().empty());
  CHECK(idle.Receive()->status == 200);
  CHECK(idle.ReceiveSome().empty());
}

TEST_CASE("AwsDoor: an idle connection of HTTP/2 is told to go, and closed", "[aws]") {
  AwsPort port({.idle_timeout_ms = 300});
  HttpClient socket(port.port());
  Http2Peer peer;
  const std::int32_t stream = PostTo(peer, "Empty", "{}");
  Exchange(socket, peer, {stream});
  CHECK_FALSE(peer.goaway().has_value());
  ExchangeUntil(socket, peer, [&] { return peer.goaway().has_value(); });
  CHECK(peer.goaway() == std::pair<std::uint32_t, std::int32_t>(0, stream));
  CHECK(socket.ReceiveSome().empty());
}

TEST_CASE("AwsDoor: an answer that nobody takes ends its connection", "[aws]") {
  AwsPort port({.request_timeout_ms = 300});
  constexpr std::size_t kAnswerBytes = 64u << 20;  // more than sockets hold
  HttpClient client(port.port());
  Http2Peer peer;
  if (GENERATE(false, true)) {
    const std::int32_t stream = PostTo(peer, "Hold", "{}");
    for (const std::int32_t window : {0, stream}) peer.OpenWindow(window, kAnswerBytes);
    client.Send(peer.Output());
  } else {
    client.Send(HttpClient::Post("Hold", "{}"));
  }
  port.WaitForHeld(1);
  for (const CallPtr& call : port.held.Take()) call->Answer(std::string(kAnswerBytes, 'x'));
  port.WaitForMetric("sluice_aws_connections", 0);
  std::size_t got = 0;
  for (std::string bytes; !(bytes = client.ReceiveSome()).empty();) got += bytes.size();
  CHECK(got < kAnswerBytes);
}

TEST_CASE("AwsDoor: an answer of HTTP/2 that the client takes nothing of is reset beside others", "[aws]") {
  AwsPort port({.request_timeout_ms = 300});
  HttpClient socket(port.port());
  Http2Peer peer(Http2Peer::Windows::kShut);
  const std::int32_t stuck = PostTo(peer, "Echo", Echo(std::string(1u << 20, 'x')));
  while (!peer.answer(stuck).reset) {
    const std::int32_t other = PostTo(peer, "Empty", "{}");  // its answer needs no window
    ExchangeUntil(socket, peer, [&] { return peer.answer(other).ended || peer.answer(stuck).reset; });
  }
  CHECK(peer.answer(stuck).fields.at(":status") == "200");
  const std::int32_t after = PostTo(peer, "Empty", "{}");
  Exchange(socket, peer, {after});
}

TEST_CASE("AwsDoor: a client that does not read its answers is not read either", "[aws]") {
  AwsPort port;
  HttpClient client(port.port());
  const std::string request = HttpClient::Post("Echo", Echo(std::string(1u << 20, 'x')));
  ::fcntl(client.socket(), F_SETFL, ::fcntl(client.socket(), F_GETFL) | O_NONBLOCK);
  constexpr int kBlockedMs = 500;  // a broker that reads makes room long before
  pollfd room{.fd = client.socket(), .events = POLLOUT, .revents = 0};
  std::size_t sent = 0;
  constexpr std::size_t kTotal = 400u << 20;
  while (sent < kTotal && ::poll(&room, 1, kBlockedMs) > 0) {
    const std::size_t at = sent % request.size();
    const ssize_t result = ::send(client.socket(), request.data() + at, request.size() - at, MSG_NOSIGNAL);
    if (result > 0) sent += static_cast<std::size_t>(result);
  }
  CHECK(sent < kTotal);
  ::fcntl(client.socket(), F_SETFL, ::fcntl(client.socket(), F_GETFL) & ~O_NONBLOCK);
  const std::size_t complete = sent / request.size();
  for (std::size_t i = 0; i < complete; ++i) REQUIRE(client.Receive()->status == 200);
  client.Send(request.substr(sent % request.size()));
  CHECK(client.Receive()->status == 200);
}

TEST_CASE("AwsDoor Finish: answers what was taken, and closes", "[aws]") {
  AwsPort port({}, GENERATE(1u, 2u));
  HttpClient client(port.port());
  HttpClient idle(port.port());
  HttpClient socket(port.port());
  Http2Peer peer;
  client.Send(HttpClient::Post("Hold", "{}"));
  idle.Send(HttpClient::Post("Echo", Echo("a")));
  CHECK(idle.Receive()->status == 200);
  const std::int32_t stream =
      peer.Post({{"content-type", "application/x-amz-json-1.1"}, {"x-amz-target", "Test_1.Hold"}}, "{}");
  socket.Send(peer.Output());
  port.WaitForHeld(2);
  bool clean = false;
  std::thread stopper([&] { clean = port.Stop(10'000); });
  CHECK(idle.ReceiveSome().empty());
  for (const CallPtr& call : port.held.Take()) call->Answer("held");
  const auto answer = client.Receive();
  REQUIRE(answer.has_value());
  CHECK(answer->body == "held");
  CHECK(answer->head.find("Connection: close\r\n") != std::string::npos);
  CHECK(client.ReceiveSome().empty());
  ::shutdown(client.socket(), SHUT_RDWR);
  Exchange(socket, peer, {stream});
  CHECK(peer.answer(stream).body == "held");
  CHECK(peer.goaway().has_value());
  ::shutdown(socket.socket(), SHUT_RDWR);
  stopper.join();
  CHECK(clean);
}

TEST_CASE("AwsDoor Finish: cuts what does not end", "[aws]") {
  AwsPort port;
  HttpClient client(port.port());
  client.Send(HttpClient::Post("Hold", "{}"));
  port.WaitForHeld(1);
  CHECK_FALSE(port.Stop(1));
  CHECK_FALSE(client.Receive().has_value());
  for (const CallPtr& call : port.held.Take()) call->Answer("nobody waits");
}

TEST_CASE("AwsDoor Start: warns where it answers everybody, and only there", "[aws]") {
  AwsDoorOptions options{.auth = {.account = "000000000012"}};
  std::string expected =
      " warning the AWS port answers everybody: aws.accept_any_signature is set account=\"000000000012\"\n";
  if (GENERATE(true, false)) {
    options.auth.access_keys = {{"AKIA1", "secret"}};  // without any, AwsPort sets accept_any_signature
    expected.clear();
  }
  const std::string text = StderrOf([&] { const AwsPort port(options); });
  CHECK(text.ends_with(expected));
  CHECK(text.empty() == expected.empty());
}

TEST_CASE("AwsDoor Start: a port in use names the setting", "[aws]") {
  AwsPort port;
  const auto second = AwsDoor::Start(port.parts(), {}, {.port = port.port(), .tls = {.enabled = false}});
  REQUIRE(!second.has_value());
  CHECK(second.error().code() == Code::kUnavailable);
  CHECK(second.error().message().find("aws.port") != std::string::npos);
}

TEST_CASE("AwsDoor CollectMetrics: requests, errors, connections", "[aws]") {
  AwsPort port;
  HttpClient client(port.port());
  client.Send(HttpClient::Post("Echo", Echo("a")) + HttpClient::Post("Refuse", "{}"));
  CHECK(client.Receive()->status == 200);
  CHECK(client.Receive()->status == 400);
  Metrics metrics(1);
  metrics.AddSource([&](MetricSink& sink) { port.door->CollectMetrics(sink); });
  const std::string text = metrics.Render();
  CHECK(text.find("\nsluice_aws_requests_total 2\n") != std::string::npos);
  CHECK(text.find("\nsluice_aws_errors_total{side=\"client\"} 1\n") != std::string::npos);
  CHECK(text.find("\nsluice_aws_errors_total{side=\"server\"} 0\n") != std::string::npos);
  CHECK(text.find("\nsluice_aws_connections 1\n") != std::string::npos);
}

}  // namespace
}  // namespace sluice::broker::aws
