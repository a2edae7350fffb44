// HTTP/1.1 without a socket: what is a request, in which order answers go out, and what ends a connection.
#include <algorithm>
#include <optional>
#include <string>

#include "tests/broker/aws/session_helpers.h"
#include "tests/catch.h"

namespace sluice::broker::aws {
namespace {

constexpr std::string_view kPost =
    "POST /a%20b?x=1&y HTTP/1.1\r\nHost: localhost:4566\r\nX-Amz-Target: S.Op\r\nContent-Length: 2\r\n\r\n{}";

TEST_CASE("Http1Session: a request in any pieces, an answer, and the next request", "[aws]") {
  const std::size_t piece = GENERATE(1, 7, 1'000);
  const auto session = NewHttp1Session({}, Memory());
  for (int i = 0; i < 2; ++i) {
    for (std::size_t at = 0; at < kPost.size(); at += piece) {
      REQUIRE_FALSE(session->Next().has_value());
      session->Receive(kPost.substr(at, piece), 0);
    }
    auto arrived = session->Next();
    REQUIRE(arrived.has_value());
    const HttpRequest& request = arrived->request;
    CHECK(request.method == "POST");
    CHECK(request.path == "/a%20b");
    CHECK(request.query == "x=1&y");
    CHECK(request.Find("host") == "localhost:4566");
    CHECK(request.Find("x-amz-target") == "S.Op");
    CHECK(request.body == "{}");
    CHECK(request.body.capacity() >= request.body.size() + 64);
    CHECK(session->working());
    CHECK(Output(*session).empty());
    session->Answer(arrived->id, {.status = 200, .fields = {{"X-Name", "value"}}, .body = "answer"});
    CHECK(Output(*session) == "HTTP/1.1 200 OK\r\nX-Name: value\r\nContent-Length: 6\r\n\r\nanswer");
    CHECK_FALSE(session->working());
    CHECK_FALSE(session->done());
  }
}

TEST_CASE("Http1Session ReceiveDirectly: the rest of a body, in any pieces, and nothing behind it", "[aws]") {
  const std::size_t piece = GENERATE(1'000, 100'000, 1'000'000);
  const auto session = NewHttp1Session({}, Memory());
  std::string body;
  for (int i = 0; i < 300'000; ++i) body += static_cast<char>('a' + i % 26);
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n";
  const std::string all = head + body;
  for (int i = 0; i < 2; ++i) {
    const auto nothing = [](char*, std::size_t) -> ssize_t {
      FAIL("nothing is to be read");
      return 0;
    };
    CHECK_FALSE(session->ReceiveDirectly(nothing, 0).has_value());  // no request has begun
    session->Receive(all.substr(0, head.size() - 1), 0);
    CHECK_FALSE(session->ReceiveDirectly(nothing, 0).has_value());  // how long its body is, is not known
    std::size_t at = head.size() + 5'000;
    session->Receive(std::string_view(all).substr(head.size() - 1, at - head.size() + 1), 0);
    const auto none = session->ReceiveDirectly([](char*, std::size_t) { return ssize_t{-1}; }, 0);
    REQUIRE(none.has_value());
    CHECK(none->result == -1);
    while (at < all.size()) {
      const auto read = [&](char* to, std::size_t bytes_max) {
        return static_cast<ssize_t>(all.copy(to, std::min(bytes_max, piece), at));
      };
      const auto direct = session->ReceiveDirectly(read, 0);
      if (direct) {
        REQUIRE(direct->result > 0);
        at += static_cast<std::size_t>(direct->result);
      } else {  // not worth it
        REQUIRE(all.size() - at < 16u << 10);
        session->Receive(std::string_view(all).substr(at), 0);
        at = all.size();
      }
    }
    CHECK_FALSE(session->ReceiveDirectly(nothing, 0).has_value());
    auto arrived = session->Next();
    REQUIRE(arrived.has_value());
    CHECK(arrived->request.body == body);
    CHECK(arrived->request.body.capacity() >= body.size() + 64);
    session->Answer(arrived->id, {.status = 200, .fields = {}, .body = {}});
  }
}

TEST_CASE("Http1Session ReceiveDirectly: bodies in chunks and those over the memory of all are for the parser",
          "[aws]") {
  const auto fill = [](char* to, std::size_t bytes_max) {
    std::fill_n(to, bytes_max, 'x');
    return static_cast<ssize_t>(bytes_max);
  };
  const auto chunked = NewHttp1Session({}, Memory());
  chunked->Receive("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\nxx", 0);
  CHECK_FALSE(chunked->ReceiveDirectly(fill, 0).has_value());

  const auto memory = std::make_shared<BodyMemory>(50'000);
  const auto session = NewHttp1Session({}, memory);
  session->Receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nxx", 0);
  while (session->ReceiveDirectly(fill, 0).has_value()) {
  }
  const auto arrived = session->Next();
  REQUIRE(arrived.has_value());
  CHECK(arrived->request.problem == HttpProblem::kNoMemory);
  CHECK(memory->bytes() == 0);
}

TEST_CASE("Http1Session: pipelined requests are given out one by one and answered in order", "[aws]") {
  const auto session = NewHttp1Session({}, Memory());
  std::string input;
  for (const char* path : {"/1", "/2", "/3"}) input += std::string("GET ") + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
  session->Receive(input, 0);
  std::string paths;
  while (auto arrived = session->Next()) {
    CHECK_FALSE(session->Next().has_value());
    paths += arrived->request.path;
    session->Answer(arrived->id, {.status = 200, .fields = {}, .body = arrived->request.path});
  }
  CHECK(paths == "/1/2/3");
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  CHECK(Output(*session) == head + "/1" + head + "/2" + head + "/3");
}

TEST_CASE("Http1Session: reads ahead of an answer only so far", "[aws]") {
  const auto session = NewHttp1Session({}, Memory());
  session->Receive(kPost, 0);
  const auto arrived = session->Next();
  std::size_t taken = 0;
  while (session->wants_input()) {
    session->Receive(kPost, 0);
    taken += kPost.size();
  }
  CHECK(taken <= (64u << 10) + kPost.size());
  session->Answer(arrived->id, {});
  CHECK(session->wants_input());
}

TEST_CASE("Http1Session: gives no request out while answers are not taken", "[aws]") {
  const auto session = NewHttp1Session({.unsent_bytes_max = 100}, Memory());
  session->Receive(std::string(kPost) + std::string(kPost), 0);
  session->Answer(session->Next()->id, {.status = 200, .fields = {}, .body = std::string(100, 'x')});
  CHECK(session->unsent());
  CHECK_FALSE(session->Next().has_value());
  Output(*session);
  CHECK(session->Next().has_value());
}

TEST_CASE("Http1Session: a body in chunks", "[aws]") {
  const auto session = NewHttp1Session({}, Memory());
  session->Receive("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 0);
  CHECK(session->receiving());
  session->Receive("2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\n", 0);
  CHECK(session->Next()->request.body == "abcde");
}

TEST_CASE("Http1Session: hundreds of small fields", "[aws]") {
  const auto session = NewHttp1Session({}, Memory());
  std::string input = "POST / HTTP/1.1\r\n";
  for (int i = 0; i < 800; ++i) input += "X-" + std::to_string(i) + ": " + std::to_string(i) + "\r\n";
  session->Receive(input + "\r\n", 0);
  const auto arrived = session->Next();
  REQUIRE(arrived.has_value());
  CHECK(arrived->request.fields.size() == 800);
  for (const char* number : {"0", "399", "799"}) CHECK(arrived->request.Find(std::string("x-") + number) == number);
}

TEST_CASE("Http1Session: chunks byte by byte, the last one first or behind others", "[aws]") {
  const auto session = NewHttp1Session({}, Memory());
  const std::string chunks = GENERATE("", "3\r\nabc\r\n");
  const std::string end = GENERATE("0\r\n\r\n", "0\r\na:b\r\n\r\n");
  session->Receive("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 0);
  for (const char byte : chunks + end) {
    CHECK(!session->Next());
    session->Receive({&byte, 1}, 0);
  }
  const auto arrived = session->Next();
  REQUIRE(arrived.has_value());
  CHECK(arrived->request.body == (chunks.empty() ? "" : "abc"));
  CHECK(!session->failed());
}

TEST_CASE("Http1Session: a request without fields byte by byte", "[aws]") {
  const auto session = NewHttp1Session({}, Memory());
  for (const char byte : std::string_view("GET / HTTP/1.0\r\n\r\n")) {
    CHECK(!session->Next());
    session->Receive({&byte, 1}, 0);
  }
  CHECK(session->Next().has_value());
}

TEST_CASE("Http1Session: Expect: 100-continue is answered before the body", "[aws]") {
  const auto session = NewHttp1Session({}, Memory());
  session->Receive("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n", 0);
  CHECK(Output(*session) == "HTTP/1.1 100 Continue\r\n\r\n");
  session->Receive("x", 0);
  CHECK(session->Next()->request.body == "x");
  CHECK(Output(*session).empty());
}

TEST_CASE("Http1Session: a body over the limit is not taken; the request is answered, and then it ends", "[aws]") {
  const std::shared_ptr<BodyMemory> memory = Memory(1'000);
  const auto session = NewHttp1Session({.body_bytes_max = 2'000}, memory);
  const std::string chunk = "3e8\r\n" + std::string(1'000, 'x') + "\r\n";
  std::string input;
  HttpProblem expected = HttpProblem::kBodyTooLarge;
  SECTION("as the header says") { input = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2001\r\n\r\n"; }
  SECTION("in one chunk") {
    input = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d1\r\n" + std::string(2'001, 'x');
  }
  SECTION("of all connections together") {
    input = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk;
    expected = HttpProblem::kNoMemory;
  }
  session->Receive(input, 0);
  auto arrived = session->Next();
  REQUIRE(arrived.has_value());
  CHECK(arrived->request.problem == expected);
  CHECK(arrived->request.body.empty());
  session->Answer(arrived->id, {.status = 413, .fields = {}, .body = {}});
  CHECK(Output(*session) == "HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  CHECK(session->done());
  CHECK(memory->bytes() == 0);
}

TEST_CASE("Http1Session: memory of a body is given back with the request", "[aws]") {
  const std::shared_ptr<BodyMemory> memory = Memory(100);
  {
    const auto session = NewHttp1Session({}, memory);
    session->Receive(kPost, 0);
    const auto arrived = session->Next();
    CHECK(memory->bytes() == 2);
  }
  CHECK(memory->bytes() == 0);
}

TEST_CASE("Http1Session: what is no request is refused", "[aws]") {
  const auto session = NewHttp1Session({.header_bytes_max = 1'000}, Memory());
  std::string input;
  HttpProblem expected = HttpProblem::kMalformed;
  SECTION("no line") { input = std::string("\0\1\2\r\n\r\n", 7); }
  SECTION("another version") { input = "GET / HTTP/3.0\r\nHost: a\r\n\r\n"; }
  SECTION("a field without a colon") { input = "GET / HTTP/1.1\r\nHost a\r\n\r\n"; }
  SECTION("two lengths") { input = "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"; }
  SECTION("a length and chunks") {
    input = "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
  }
  SECTION("a chunk without a size") { input = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"; }
  SECTION("a long header") {
    input = "GET / HTTP/1.1\r\nHost: " + std::string(1'000, 'a') + "\r\n\r\n";
    expected = HttpProblem::kHeaderTooLarge;
  }
  session->Receive(input, 0);
  CHECK(session->failed());
  const auto arrived = session->Next();
  REQUIRE(arrived.has_value());
  CHECK(arrived->request.problem == expected);
  CHECK(arrived->request.body.empty());
  session->Receive(kPost, 0);
  session->Answer(arrived->id, {.status = 400, .fields = {}, .body = {}});
  CHECK(Output(*session) == "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  CHECK(session->done());
  CHECK_FALSE(session->Next().has_value());
  session->Receive(kPost, 0);
  CHECK(Output(*session).empty());
}

TEST_CASE("Http1Session: an answer to HEAD has a length and no body", "[aws]") {
  const auto session = NewHttp1Session({}, Memory());
  session->Receive("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 0);
  session->Answer(session->Next()->id, {.status = 403, .fields = {}, .body = "denied"});
  CHECK(Output(*session) == "HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\n");
}

TEST_CASE("Http1Session: closes where the client asks for it", "[aws]") {
  const auto session = NewHttp1Session({}, Memory());
  const char* request = GENERATE("GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  session->Receive(std::string(request) + std::string(kPost), 0);
  session->Answer(session->Next()->id, {});
  CHECK(Output(*session) == "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  CHECK(session->done());
  CHECK_FALSE(session->Next().has_value());
}

TEST_CASE("Http1Session BeginStop: the request in work is answered, and no other", "[aws]") {
  const auto session = NewHttp1Session({}, Memory());
  SECTION("idle") {
    session->BeginStop();
    CHECK(session->done());
    CHECK(Output(*session).empty());
  }
  SECTION("in work") {
    session->Receive(std::string(kPost) + std::string(kPost), 0);
    const auto arrived = session->Next();
    session->BeginStop();
    CHECK_FALSE(session->done());
    session->Answer(arrived->id, {});
    CHECK(Output(*session).find("Connection: close") != std::string::npos);
    CHECK(session->done());
    CHECK_FALSE(session->Next().has_value());
  }
}

constexpr std::string_view kChunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST_CASE("Http1Session BeginStream: chunks, and the next request behind the last one", "[aws]") {
  const auto session = NewHttp1Session({}, Memory());
  session->Receive(std::string(kPost) + std::string(kPost), 0);
  const auto arrived = session->Next();
  session->BeginStream(arrived->id, {});
  CHECK(Output(*session) == kChunkedHead);
  session->WriteStream(arrived->id, "0123456789abcdef");
  session->WriteStream(arrived->id, "");
  session->WriteStream(arrived->id, "b");
  CHECK(Output(*session) == "10\r\n0123456789abcdef\r\n1\r\nb\r\n");
  CHECK(session->working());
  CHECK_FALSE(session->Next().has_value());
  session->EndStream(arrived->id);
  CHECK(Output(*session) == "0\r\n\r\n");
  session->WriteStream(arrived->id, "late");
  CHECK(Output(*session).empty());
  const auto next = session->Next();
  REQUIRE(next.has_value());
  session->Answer(next->id, {.status = 200, .fields = {}, .body = "b"});
  CHECK(Output(*session) == "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb");
  CHECK_FALSE(session->working());
}

TEST_CASE("Http1Session BeginStream: a client of HTTP/1.0 reads until the end of the connection", "[aws]") {
  const auto session = NewHttp1Session({}, Memory());
  session->Receive("POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}", 0);
  const auto arrived = session->Next();
  session->BeginStream(arrived->id, {});
  session->WriteStream(arrived->id, "abc");
  CHECK(Output(*session) == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
  CHECK_FALSE(session->done());
  session->EndStream(arrived->id);
  CHECK(Output(*session).empty());
  CHECK(session->done());
}

TEST_CASE("Http1Session WriteStream: says when there is room again", "[aws]") {
  const auto session = NewHttp1Session({.stream_unsent_bytes_max = 1'000}, Memory());
  session->Receive(kPost, 0);
  const auto arrived = session->Next();
  session->BeginStream(arrived->id, {});
  session->WriteStream(arrived->id, std::string(900, 'x'));
  CHECK(session->StreamHasRoom(arrived->id));
  session->WriteStream(arrived->id, std::string(900, 'x'));
  CHECK_FALSE(session->StreamHasRoom(arrived->id));
  CHECK(session->TakeStreamChanges().empty());
  Output(*session);
  CHECK(session->StreamHasRoom(arrived->id));
  const auto changes = session->TakeStreamChanges();
  REQUIRE(changes.size() == 1);
  CHECK_FALSE(changes[0].gone);
  session->WriteStream(arrived->id, "x");
  Output(*session);
  CHECK(session->TakeStreamChanges().empty());
}

TEST_CASE("Http1Session AbortStream: drops what is unsent and ends without the last chunk", "[aws]") {
  const auto session = NewHttp1Session({}, Memory());
  session->Receive(kPost, 0);
  const auto arrived = session->Next();
  session->BeginStream(arrived->id, {});
  CHECK(Output(*session) == kChunkedHead);
  session->WriteStream(arrived->id, "abc");
  session->AbortStream(arrived->id);
  CHECK(Output(*session).empty());
  CHECK(session->done());
  const auto changes = session->TakeStreamChanges();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].gone);
}

TEST_CASE("Http1Session BeginStop: a stream goes on until it is ended, and then the connection", "[aws]") {
  const auto session = NewHttp1Session({}, Memory());
  session->Receive(std::string(kPost) + std::string(kPost), 0);
  const auto arrived = session->Next();
  session->BeginStream(arrived->id, {});
  session->BeginStop();
  CHECK_FALSE(session->done());
  session->WriteStream(arrived->id, "a");
  session->EndStream(arrived->id);
  CHECK(Output(*session) == std::string(kChunkedHead) + "1\r\na\r\n0\r\n\r\n");
  CHECK(session->done());
  CHECK_FALSE(session->Next().has_value());
}

TEST_CASE("Http1Session GiveUp: ends what began too long ago, and nothing else", "[aws]") {
  const auto session = NewHttp1Session({}, Memory());
  session->GiveUp(2'000, 1'000);
  CHECK_FALSE(session->done());
  session->Receive(kPost.substr(0, 20), 50);
  session->Receive(kPost.substr(20, 10), 60);
  session->GiveUp(149, 100);
  CHECK_FALSE(session->done());
  session->GiveUp(150, 100);
  const auto arrived = session->Next();
  REQUIRE(arrived.has_value());
  CHECK(arrived->request.problem == HttpProblem::kTimedOut);
  session->GiveUp(1'000, 100);
  CHECK_FALSE(session->Next().has_value());
  session->Answer(arrived->id, {.status = 408, .fields = {}, .body = {}});
  CHECK(Output(*session) == "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  CHECK(session->done());
}

}  // namespace
}  // namespace sluice::broker::aws
