// Answers in pieces over real sockets: what the client gets, what the operation is told, and how streams end.
#include <sys/socket.h>

#include <future>
#include <string>
#include <thread>

#include "tests/broker/aws/door_fixture.h"
#include "tests/broker/aws/http2_peer.h"
#include "tests/catch.h"

namespace sluice::broker::aws {
namespace {

using One = std::shared_ptr<HeldStreams::One>;

struct StreamPort {
  explicit StreamPort(AwsDoorOptions options = {}) : port(std::move(options), 1, storage::NewPosixEnv(), &streams) {}

  One WaitForStream(std::size_t index = 0) {
    for (;;) {
      const std::lock_guard lock(streams.mutex);
      if (streams.streams.size() > index) return streams.streams[index];
      std::this_thread::yield();
    }
  }
  /// Does something with a stream on its loop; gives what that gives.
  template <typename Task>
  auto OnLoop(const One& one, Task task) {
    std::packaged_task<decltype(task(*one))()> packaged([&] { return task(*one); });
    auto result = packaged.get_future();
    one->call->loop().Post([&packaged] { packaged(); });
    return result.get();
  }
  void Write(const One& one, std::string piece) {
    OnLoop(one, [&](HeldStreams::One& it) { it.stream->Write(std::move(piece)); });
  }
  void End(const One& one) {
    OnLoop(one, [](HeldStreams::One& it) { it.stream->End(); });
  }
  void WaitForNews(const One& one, StreamNews news) {
    while (OnLoop(one, [&](HeldStreams::One& it) { return it.news.empty() || it.news.back() != news; })) {
    }
  }

  HeldStreams streams;
  AwsPort port;
};

/// Until what has come ends with `end`.
std::string ReceiveUntil(HttpClient& client, std::string_view end) {
  std::string all;
  while (!all.ends_with(end)) {
    const std::string more = client.ReceiveSome();
    if (more.empty()) return all + "[closed]";
    all += more;
  }
  return all;
}

std::int32_t PostStream(Http2Peer& peer) {
  return peer.Post({{"content-type", "application/x-amz-json-1.1"}, {"x-amz-target", "Test_1.Stream"}}, "{}");
}

TEST_CASE("AwsDoor streams: HTTP/1.1 in chunks, the next request behind the end", "[aws]") {
  StreamPort fixture;
  HttpClient client(fixture.port.port());
  client.Send(HttpClient::Post("Stream", "{}") + HttpClient::Post("Empty", "{}"));
  const One one = fixture.WaitForStream();
  const std::string head = ReceiveUntil(client, "\r\n\r\n");
  CHECK(head.find("Content-Type: text/plain\r\n") != std::string::npos);
  CHECK(head.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(head.find("x-amzn-RequestId: ") != std::string::npos);
  fixture.Write(one, "abc");
  CHECK(ReceiveUntil(client, "\r\nabc\r\n") == "3\r\nabc\r\n");
  fixture.End(one);
  CHECK(ReceiveUntil(client, "Content-Length: 0\r\n\r\n").starts_with("0\r\n\r\nHTTP/1.1 200 OK\r\n"));
  CHECK(one->news.empty());
}

TEST_CASE("AwsDoor streams: HTTP/2, with other requests beside it", "[aws]") {
  StreamPort fixture;
  HttpClient socket(fixture.port.port());
  Http2Peer peer;
  const std::int32_t stream = PostStream(peer);
  const auto exchange_until = [&](auto enough) {
    socket.Send(peer.Output());
    while (!enough()) {
      const std::string bytes = socket.ReceiveSome();
      REQUIRE_FALSE(bytes.empty());
      REQUIRE(peer.Receive(bytes));
      socket.Send(peer.Output());
    }
  };
  socket.Send(peer.Output());
  const One one = fixture.WaitForStream();
  fixture.Write(one, "abc");
  exchange_until([&] { return peer.answer(stream).body == "abc"; });
  const std::int32_t other =
      peer.Post({{"content-type", "application/x-amz-json-1.1"}, {"x-amz-target", "Test_1.Echo"}}, R"({"Text":"a"})");
  exchange_until([&] { return peer.answer(other).ended; });
  CHECK_FALSE(peer.answer(stream).ended);
  fixture.End(one);
  exchange_until([&] { return peer.answer(stream).ended; });
  CHECK(one->news.empty());
}

TEST_CASE("AwsDoor streams: the operation learns when the client takes what was written", "[aws]") {
  StreamPort fixture;
  HttpClient client(fixture.port.port());
  client.Send(HttpClient::Post("Stream", "{}"));
  const One one = fixture.WaitForStream();
  ReceiveUntil(client, "\r\n\r\n");
  fixture.Write(one, std::string(64u << 20, 'x'));  // more than sockets hold: it stays in the connection
  fixture.Write(one, std::string(1u << 20, 'x'));   // and this behind it
  CHECK_FALSE(fixture.OnLoop(one, [](HeldStreams::One& it) { return it.stream->has_room(); }));
  fixture.OnLoop(one, [](HeldStreams::One& it) { it.news.clear(); });  // there was room behind the first one
  std::thread reader([&] { ReceiveUntil(client, "0\r\n\r\n"); });
  fixture.WaitForNews(one, StreamNews::kRoom);
  fixture.End(one);
  reader.join();
}

TEST_CASE("AwsDoor streams: the operation learns that its client has gone", "[aws]") {
  StreamPort fixture;
  const int how = GENERATE(0, 1, 2);
  auto client = std::make_unique<HttpClient>(fixture.port.port());
  Http2Peer peer;
  const std::int32_t stream = how == 2 ? PostStream(peer) : 0;
  client->Send(how == 2 ? peer.Output() : HttpClient::Post("Stream", "{}"));
  const One one = fixture.WaitForStream();
  if (how == 0) client.reset();
  if (how == 1) ::shutdown(client->socket(), SHUT_WR);
  if (how == 2) {
    REQUIRE(peer.Receive(client->ReceiveSome()));
    peer.Reset(stream);
    client->Send(peer.Output());
  }
  fixture.WaitForNews(one, StreamNews::kGone);
  fixture.Write(one, "nobody listens");
  fixture.End(one);
}

TEST_CASE("AwsDoor streams: an idle one lives on, and a client that takes nothing is cut off", "[aws]") {
  StreamPort fixture({.request_timeout_ms = 300, .idle_timeout_ms = 300});
  HttpClient idle(fixture.port.port());
  idle.Send(HttpClient::Post("Stream", "{}"));
  const One idle_one = fixture.WaitForStream();
  ReceiveUntil(idle, "\r\n\r\n");
  HttpClient full(fixture.port.port());
  full.Send(HttpClient::Post("Stream", "{}"));
  const One full_one = fixture.WaitForStream(1);
  fixture.Write(full_one, std::string(64u << 20, 'x'));
  fixture.WaitForNews(full_one, StreamNews::kGone);  // more than both deadlines later
  CHECK(idle_one->news.empty());
  fixture.Write(idle_one, "abc");
  CHECK(ReceiveUntil(idle, "abc\r\n") == "3\r\nabc\r\n");
  fixture.End(idle_one);
  CHECK(ReceiveUntil(idle, "0\r\n\r\n") == "0\r\n\r\n");
}

TEST_CASE("AwsDoor streams: HTTP/2 resets one that the client takes nothing of, and leaves the others", "[aws]") {
  StreamPort fixture({.request_timeout_ms = 300});
  HttpClient socket(fixture.port.port());
  Http2Peer peer(Http2Peer::Windows::kShut);
  const std::int32_t stream = PostStream(peer);
  socket.Send(peer.Output());
  const One one = fixture.WaitForStream();
  fixture.Write(one, std::string(1u << 20, 'x'));  // a window of 64 KiB, which is never opened further
  while (!peer.answer(stream).reset) {
    const std::int32_t other =
        peer.Post({{"content-type", "application/x-amz-json-1.1"}, {"x-amz-target", "Test_1.Empty"}}, "{}");
    socket.Send(peer.Output());
    while (!peer.answer(other).ended && !peer.answer(stream).reset) {
      const std::string bytes = socket.ReceiveSome();
      REQUIRE_FALSE(bytes.empty());
      REQUIRE(peer.Receive(bytes));
    }
  }
  fixture.WaitForNews(one, StreamNews::kGone);
}

TEST_CASE("AwsDoor streams: a client of HTTP/2 that goes leaves no answer behind that its windows held back", "[aws]") {
  StreamPort fixture({.request_timeout_ms = 3'600'000, .idle_timeout_ms = 3'600'000});
  auto socket = std::make_unique<HttpClient>(fixture.port.port());
  Http2Peer peer(Http2Peer::Windows::kShut);
  const std::int32_t stream = PostStream(peer);
  socket->Send(peer.Output());
  const One one = fixture.WaitForStream();
  fixture.Write(one, std::string(100'000, 'x'));  // a window of 64 KiB
  if (GENERATE(true, false)) fixture.End(one);    // or it goes on
  while (peer.answer(stream).body.size() < 65'535) REQUIRE(peer.Receive(socket->ReceiveSome()));
  socket.reset();
  fixture.port.WaitForMetric("sluice_aws_connections", 0);
}

TEST_CASE("AwsDoor Finish: streams are told, and end in order", "[aws]") {
  StreamPort fixture;
  HttpClient client(fixture.port.port());
  HttpClient socket(fixture.port.port());
  Http2Peer peer;
  client.Send(HttpClient::Post("Stream", "{}"));
  const One first = fixture.WaitForStream();
  const std::int32_t stream = PostStream(peer);
  socket.Send(peer.Output());
  const One second = fixture.WaitForStream(1);
  bool clean = false;
  std::thread stopper([&] { clean = fixture.port.Stop(10'000); });
  for (const One& one : {first, second}) {
    fixture.WaitForNews(one, StreamNews::kStopping);
    fixture.Write(one, "last words");
    fixture.End(one);
  }
  CHECK(ReceiveUntil(client, "0\r\n\r\n").ends_with("a\r\nlast words\r\n0\r\n\r\n"));
  CHECK(client.ReceiveSome().empty());
  ::shutdown(client.socket(), SHUT_RDWR);
  while (!peer.answer(stream).ended) REQUIRE(peer.Receive(socket.ReceiveSome()));
  CHECK(peer.answer(stream).body == "last words");
  CHECK(peer.goaway().has_value());
  ::shutdown(socket.socket(), SHUT_RDWR);
  stopper.join();
  CHECK(clean);
}

}  // namespace
}  // namespace sluice::broker::aws
