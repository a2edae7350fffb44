// HTTP/2 without a socket, against nghttp2's client: streams, flow control, limits, and the end.
#include <nghttp2/nghttp2.h>

#include <string>

#include "tests/broker/aws/http2_pair.h"
#include "tests/catch.h"

namespace sluice::broker::aws {
namespace {

TEST_CASE("Http2Session: a request and its answer", "[aws]") {
  Http2Pair pair;
  const std::int32_t stream = pair.client.Post({{"x-amz-target", "S.Op"}}, "{}");
  pair.Exchange();
  auto arrived = pair.session->Next();
  REQUIRE(arrived.has_value());
  CHECK(arrived->request.method == "POST");
  CHECK(arrived->request.path == "/");
  CHECK(arrived->request.query.empty());
  CHECK(arrived->request.Find("host") == "localhost:4566");
  CHECK(arrived->request.Find("x-amz-target") == "S.Op");
  CHECK(arrived->request.body == "{}");
  CHECK(arrived->request.body.capacity() >= arrived->request.body.size() + 64);
  pair.session->Answer(arrived->id, {.status = 400, .fields = {{"X-Name", "value"}}, .body = "answer"});
  pair.Exchange();
  const Http2Peer::Answer& answer = pair.client.answer(stream);
  CHECK(answer.fields ==
        std::map<std::string, std::string>{{":status", "400"}, {"x-name", "value"}, {"content-length", "6"}});
  CHECK(answer.body == "answer");
  CHECK(answer.ended);
  CHECK_FALSE(answer.reset.has_value());
  CHECK_FALSE(pair.session->working());
}

TEST_CASE("Http2Session: many streams, answered in any order", "[aws]") {
  Http2Pair pair;
  std::vector<std::int32_t> streams;
  for (int i = 0; i < 100; ++i) streams.push_back(pair.client.Post({}, std::to_string(i)));
  pair.Exchange();
  std::vector<HttpSession::Arrived> requests;
  while (auto arrived = pair.session->Next()) requests.push_back(std::move(*arrived));
  REQUIRE(requests.size() == 100);
  while (!requests.empty()) {
    pair.session->Answer(requests.back().id, {.status = 200, .fields = {}, .body = requests.back().request.body});
    requests.pop_back();
  }
  pair.Exchange();
  for (int i = 0; i < 100; ++i)
    CHECK(pair.client.answer(streams[static_cast<std::size_t>(i)]).body == std::to_string(i));
}

TEST_CASE("Http2Session: large bodies pass both ways through the windows", "[aws]") {
  Http2Pair pair;
  const std::string body(12u << 20, 'x');
  const std::int32_t stream = pair.client.Post({}, body);
  pair.Exchange();
  auto arrived = pair.session->Next();
  REQUIRE(arrived.has_value());
  CHECK(arrived->request.body == body);
  pair.session->Answer(arrived->id, {.status = 200, .fields = {}, .body = body});
  CHECK(pair.session->unsent());
  pair.Exchange();
  CHECK(pair.client.answer(stream).body == body);
  CHECK_FALSE(pair.session->unsent());
}

TEST_CASE("Http2Session: what is over a limit is answered without its body, and no more of it is taken", "[aws]") {
  Http2Pair pair({.header_bytes_max = 1'000, .body_bytes_max = 2'000, .connection_bytes_max = 3'000}, Memory(2'500));
  HttpProblem expected = HttpProblem::kNone;
  std::int32_t stream = 0;
  SECTION("a body") {
    stream = pair.client.Post({}, std::string(2'001, 'x'), false);
    expected = HttpProblem::kBodyTooLarge;
  }
  SECTION("bodies of all connections") {
    pair.client.Post({}, std::string(2'000, 'x'), false);
    stream = pair.client.Post({}, std::string(501, 'x'), false);
    expected = HttpProblem::kNoMemory;
  }
  SECTION("a header") {
    stream = pair.client.Post({{"x-long", std::string(1'000, 'x')}}, "{}", false);
    expected = HttpProblem::kHeaderTooLarge;
  }
  pair.Exchange();
  auto arrived = pair.session->Next();
  REQUIRE(arrived.has_value());
  CHECK(arrived->request.problem == expected);
  CHECK(arrived->request.body.empty());
  pair.session->Answer(arrived->id, {.status = 413, .fields = {}, .body = "no"});
  pair.Exchange();
  CHECK(pair.client.answer(stream).body == "no");
  CHECK(pair.client.answer(stream).ended);
  CHECK(pair.client.answer(stream).reset == NGHTTP2_NO_ERROR);
}

TEST_CASE("Http2Session: bodies of one connection have a bound of their own", "[aws]") {
  const std::shared_ptr<BodyMemory> memory = Memory();
  Http2Pair pair({.connection_bytes_max = 3'000}, memory);
  pair.client.Post({}, std::string(2'000, 'x'), false);
  pair.client.Post({}, std::string(2'000, 'x'), false);
  pair.Exchange();
  const auto arrived = pair.session->Next();
  REQUIRE(arrived.has_value());
  CHECK(arrived->request.problem == HttpProblem::kNoMemory);
  CHECK(memory->bytes() == 2'000);
}

TEST_CASE("Http2Session: streams over the limit are refused", "[aws]") {
  Http2Pair pair({.streams_max = 2});
  std::vector<std::int32_t> streams;
  for (int i = 0; i < 3; ++i) streams.push_back(pair.client.Post({}, "{}"));
  pair.Exchange();
  // The client knows the limit and keeps the third back.
  std::vector<HttpSession::Arrived> requests;
  while (auto arrived = pair.session->Next()) requests.push_back(std::move(*arrived));
  CHECK(requests.size() == 2);
  pair.session->Answer(requests[0].id, {});
  pair.Exchange();
  CHECK(pair.session->Next().has_value());
}

TEST_CASE("Http2Session: streams that are reset at once end the connection, and do not pile up work", "[aws]") {
  Http2Pair pair({.streams_max = 10});
  std::size_t given_out = 0;
  for (int i = 0; i < 2'000 && !pair.session->failed(); ++i) {
    const std::int32_t stream = pair.client.Post({}, "{}");
    pair.session->Receive(pair.client.Output(), 0);
    while (pair.session->Next()) ++given_out;
    pair.client.Reset(stream);
    pair.session->Receive(pair.client.Output(), 0);
    REQUIRE(pair.client.Receive(Output(*pair.session)));
  }
  CHECK(pair.session->failed());
  CHECK(given_out == 10);
  REQUIRE(pair.client.goaway().has_value());
  CHECK(pair.client.goaway()->first != NGHTTP2_NO_ERROR);
}

TEST_CASE("Http2Session: an answer to a stream that was reset goes nowhere", "[aws]") {
  Http2Pair pair;
  const std::int32_t stream = pair.client.Post({}, "{}");
  pair.Exchange();
  const auto arrived = pair.session->Next();
  pair.client.Reset(stream);
  pair.Exchange();
  CHECK(pair.session->working());
  pair.session->Answer(arrived->id, {.status = 200, .fields = {}, .body = "late"});
  pair.Exchange();
  CHECK(pair.client.answer(stream).fields.empty());
  CHECK_FALSE(pair.session->working());
}

TEST_CASE("Http2Session: no request is given out while answers are not taken", "[aws]") {
  Http2Pair pair({.unsent_bytes_max = 100'000});
  for (int i = 0; i < 2; ++i) pair.client.Post({}, "{}");
  pair.Exchange();
  const auto first = pair.session->Next();
  pair.session->Answer(first->id, {.status = 200, .fields = {}, .body = std::string(200'000, 'x')});
  CHECK_FALSE(pair.session->Next().has_value());
  pair.Exchange();
  CHECK(pair.session->Next().has_value());
}

/// The bytes of a frame (RFC 9113 section 4.1).
std::string Frame(char type, char flags, std::uint32_t stream, std::string_view payload) {
  std::string frame;
  for (const int shift : {16, 8, 0}) frame += static_cast<char>(payload.size() >> shift);
  frame += type;
  frame += flags;
  for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>(stream >> shift);
  return frame.append(payload);
}

constexpr char kHeaders = 1;
constexpr char kEndStream = 1;
constexpr char kEndHeaders = 4;
// POST, http, / and an authority; by HPACK's static table where it has them.
constexpr std::string_view kFields =
    "\x83\x86\x84\x01\x01"
    "a";

TEST_CASE("Http2Session: what asks for frames in return is not read while they are not taken", "[aws]") {
  const auto session = NewHttp2Session({}, Memory());
  session->Receive(kHttp2Preface, 0);
  session->Receive(Frame(4, 0, 0, ""), 0);
  const std::string malformed = std::string(kFields) + std::string(
                                                           "\x00\x0e"
                                                           "content-length"
                                                           "\x01"
                                                           "9",
                                                           18);
  std::uint32_t streams = 0;
  for (; streams < 10'000 && session->wants_input(); ++streams) {
    session->Receive(Frame(kHeaders, kEndHeaders | kEndStream, 2 * streams + 1, malformed), 0);
  }
  CHECK(streams > 900);
  CHECK(streams < 1'100);
  CHECK_FALSE(session->Next().has_value());
  Output(*session);
  CHECK(session->wants_input());
}

TEST_CASE("Http2Session: path and query, apart", "[aws]") {
  const auto session = NewHttp2Session({}, Memory());
  session->Receive(kHttp2Preface, 0);
  session->Receive(Frame(4, 0, 0, ""), 0);
  // A path that the static table does not have.
  constexpr std::string_view kWithQuery = "\x83\x86\x04\x08/a?b=1&c\x01\x01z";
  session->Receive(Frame(kHeaders, kEndHeaders | kEndStream, 1, kWithQuery), 0);
  const auto arrived = session->Next();
  REQUIRE(arrived.has_value());
  CHECK(arrived->request.path == "/a");
  CHECK(arrived->request.query == "b=1&c");
}

TEST_CASE("Http2Session: a new stream below the last one is an error", "[aws]") {
  const auto session = NewHttp2Session({}, Memory());
  session->Receive(kHttp2Preface, 0);
  session->Receive(Frame(4, 0, 0, ""), 0);
  session->Receive(Frame(kHeaders, kEndHeaders | kEndStream, 5, kFields), 0);
  CHECK(session->Next().has_value());
  session->Receive(Frame(kHeaders, kEndHeaders | kEndStream, 3, kFields), 0);
  Output(*session);
  CHECK(session->failed());
}

TEST_CASE("Http2Session: what is no HTTP/2 ends it", "[aws]") {
  const auto session = NewHttp2Session({}, Memory());
  Output(*session);
  std::string input(kHttp2Preface);
  SECTION("no frames behind the preface") { input += std::string(1'000, 'x'); }
  SECTION("another preface") { input = std::string(1'000, 'x'); }
  session->Receive(input, 0);
  CHECK(Output(*session).size() >= 17);  // a GOAWAY
  CHECK(session->failed());
  CHECK(session->done());
  session->Receive("x", 0);
  CHECK(Output(*session).empty());
}

TEST_CASE("Http2Session BeginStop: says so, answers what is in work, refuses the rest", "[aws]") {
  Http2Pair pair;
  const std::int32_t in_work = pair.client.Post({}, "{}");
  const std::int32_t incomplete = pair.client.Post({}, "{", false);
  pair.Exchange();
  const auto arrived = pair.session->Next();
  pair.session->BeginStop();
  pair.Exchange();
  CHECK(pair.client.goaway() == std::pair<std::uint32_t, std::int32_t>(NGHTTP2_NO_ERROR, incomplete));
  CHECK(pair.client.answer(incomplete).reset == NGHTTP2_REFUSED_STREAM);
  CHECK_FALSE(pair.session->done());
  pair.session->Answer(arrived->id, {.status = 200, .fields = {}, .body = "answer"});
  pair.Exchange();
  CHECK(pair.client.answer(in_work).body == "answer");
  CHECK(pair.session->done());
}

/// A stream that has begun to be answered.
std::uint64_t BeginStream(Http2Pair& pair, std::int32_t& stream) {
  stream = pair.client.Post({}, "{}");
  pair.Exchange();
  const auto arrived = pair.session->Next();
  REQUIRE(arrived.has_value());
  pair.session->BeginStream(arrived->id, {.status = 200, .fields = {{"X-Name", "value"}}, .body = {}});
  return arrived->id;
}

TEST_CASE("Http2Session GiveUp: ends the streams that began too long ago", "[aws]") {
  Http2Pair pair;
  pair.now_ms = 50;
  const std::int32_t old = pair.client.Post({}, "{", false);
  pair.Exchange();
  pair.now_ms = 60;
  const std::int32_t young = pair.client.Post({}, "{", false);
  pair.Exchange();
  CHECK(pair.session->receiving());
  pair.session->GiveUp(150, 100);
  pair.Exchange();
  CHECK(pair.client.answer(old).reset == NGHTTP2_CANCEL);
  CHECK_FALSE(pair.client.answer(young).reset.has_value());
  pair.client.Append(young, "}", true);
  pair.Exchange();
  CHECK(pair.session->Next()->request.body == "{}");
}

TEST_CASE("Http2Session GiveUp: resets an answer of which nothing goes out, and leaves one that moves", "[aws]") {
  Http2Pair pair({}, Memory(), Http2Peer::Windows::kShut);
  pair.client.OpenWindow(0, 1 << 20);
  pair.now_ms = 50;
  const std::int32_t stuck = pair.client.Post({}, "{}");
  const std::int32_t moving = pair.client.Post({}, "{}");
  pair.Exchange();
  while (const auto arrived = pair.session->Next()) {
    pair.session->Answer(arrived->id, {.status = 200, .fields = {}, .body = std::string(200'000, 'x')});
  }
  pair.Exchange();
  pair.now_ms = 100;
  pair.client.OpenWindow(moving, 1'000);
  pair.Exchange();
  const auto give_up = [&](std::int64_t now_ms) {
    pair.now_ms = now_ms;
    pair.session->GiveUp(now_ms, 100);
    pair.Exchange();
  };
  give_up(149);
  CHECK_FALSE(pair.client.answer(stuck).reset.has_value());
  give_up(150);
  CHECK(pair.client.answer(stuck).reset == NGHTTP2_CANCEL);
  CHECK_FALSE(pair.client.answer(moving).reset.has_value());
  CHECK(pair.session->unsent());
  give_up(200);
  CHECK(pair.client.answer(moving).reset == NGHTTP2_CANCEL);
  CHECK_FALSE(pair.session->unsent());
  CHECK_FALSE(pair.session->working());
}

TEST_CASE("Http2Session GiveUp: counts from the answer or the end of a stream, however late that is", "[aws]") {
  Http2Pair pair({}, Memory(), Http2Peer::Windows::kShut);
  std::int32_t stream = 0;
  const std::uint64_t id = BeginStream(pair, stream);
  pair.session->WriteStream(id, std::string(200'000, 'x'));
  pair.Exchange();
  pair.session->GiveUp(1'000, 100);
  pair.session->EndStream(id);
  const std::int32_t late = pair.client.Post({}, "{}");
  pair.now_ms = 1'000;
  pair.Exchange();
  CHECK_FALSE(pair.client.answer(stream).reset.has_value());
  const auto arrived = pair.session->Next();
  pair.session->GiveUp(1'050, 100);
  pair.session->Answer(arrived->id, {.status = 200, .fields = {}, .body = "held back by the connection's window"});
  pair.now_ms = 1'100;
  pair.session->GiveUp(1'100, 100);
  pair.Exchange();
  CHECK(pair.client.answer(stream).reset == NGHTTP2_CANCEL);
  CHECK_FALSE(pair.client.answer(late).reset.has_value());
  pair.session->GiveUp(1'150, 100);
  pair.Exchange();
  CHECK(pair.client.answer(late).reset == NGHTTP2_CANCEL);
}

TEST_CASE("Http2Session BeginStream: pieces go out as they are written, others in between", "[aws]") {
  Http2Pair pair;
  std::int32_t stream = 0;
  const std::uint64_t id = BeginStream(pair, stream);
  pair.Exchange();
  CHECK(pair.client.answer(stream).fields ==
        std::map<std::string, std::string>{{":status", "200"}, {"x-name", "value"}});
  pair.session->WriteStream(id, "abc");
  pair.session->WriteStream(id, "");
  pair.session->WriteStream(id, std::string(100'000, 'x'));
  pair.Exchange();
  CHECK(pair.client.answer(stream).body == "abc" + std::string(100'000, 'x'));
  CHECK_FALSE(pair.client.answer(stream).ended);
  CHECK(pair.session->working());
  CHECK_FALSE(pair.session->unsent());

  const std::int32_t other = pair.client.Post({}, "other");
  pair.Exchange();
  pair.session->Answer(pair.session->Next()->id, {.status = 200, .fields = {}, .body = "answer"});
  pair.session->WriteStream(id, "end");
  pair.session->EndStream(id);
  pair.session->WriteStream(id, "late");
  pair.Exchange();
  CHECK(pair.client.answer(other).body == "answer");
  CHECK(pair.client.answer(stream).body.ends_with("xend"));
  CHECK(pair.client.answer(stream).ended);
  CHECK_FALSE(pair.client.answer(stream).reset.has_value());
  CHECK_FALSE(pair.session->working());
  CHECK(pair.session->TakeStreamChanges().empty());
}

TEST_CASE("Http2Session EndStream: without a piece before it", "[aws]") {
  Http2Pair pair;
  std::int32_t stream = 0;
  const std::uint64_t id = BeginStream(pair, stream);
  const bool head_is_out = GENERATE(true, false);
  if (head_is_out) pair.Exchange();
  pair.session->EndStream(id);
  pair.Exchange();
  CHECK(pair.client.answer(stream).ended);
  CHECK(pair.client.answer(stream).body.empty());
  CHECK_FALSE(pair.session->working());
}

TEST_CASE("Http2Session WriteStream: says when there is room again", "[aws]") {
  Http2Pair pair({.stream_unsent_bytes_max = 70'000});
  std::int32_t stream = 0;
  const std::uint64_t id = BeginStream(pair, stream);
  pair.session->WriteStream(id, std::string(65'535 + 70'000, 'x'));  // more than the window
  CHECK_FALSE(pair.session->StreamHasRoom(id));
  Output(*pair.session);  // a window of it; the client has said nothing yet
  CHECK_FALSE(pair.session->StreamHasRoom(id));
  CHECK(pair.session->unsent());
  CHECK(pair.session->TakeStreamChanges().empty());
}

TEST_CASE("Http2Session WriteStream: passes through the windows", "[aws]") {
  Http2Pair pair({.stream_unsent_bytes_max = 70'000});
  std::int32_t stream = 0;
  const std::uint64_t second = BeginStream(pair, stream);
  pair.session->WriteStream(second, std::string(200'000, 'x'));
  pair.Exchange();
  const auto changes = pair.session->TakeStreamChanges();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].id == second);
  CHECK_FALSE(changes[0].gone);
  CHECK(pair.client.answer(stream).body.size() == 200'000);
}

TEST_CASE("Http2Session: a stream that the peer resets is gone", "[aws]") {
  Http2Pair pair({.streams_max = 1});
  std::int32_t stream = 0;
  const std::uint64_t id = BeginStream(pair, stream);
  pair.session->WriteStream(id, "abc");
  pair.client.Reset(stream);
  pair.Exchange();
  const auto changes = pair.session->TakeStreamChanges();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].id == id);
  CHECK(changes[0].gone);
  pair.session->WriteStream(id, "abc");
  pair.session->EndStream(id);
  CHECK_FALSE(pair.session->working());
  BeginStream(pair, stream);  // there is a place again
}

TEST_CASE("Http2Session BeginStream: of a stream that the peer has reset meanwhile", "[aws]") {
  Http2Pair pair;
  const std::int32_t stream = pair.client.Post({}, "{}");
  pair.Exchange();
  const auto arrived = pair.session->Next();
  pair.client.Reset(stream);
  pair.Exchange();
  pair.session->BeginStream(arrived->id, {});
  const auto changes = pair.session->TakeStreamChanges();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].gone);
  CHECK_FALSE(pair.session->working());
}

TEST_CASE("Http2Session AbortStream: resets it", "[aws]") {
  Http2Pair pair;
  std::int32_t stream = 0;
  const std::uint64_t id = BeginStream(pair, stream);
  pair.session->WriteStream(id, "abc");
  pair.session->AbortStream(id);
  pair.Exchange();
  CHECK(pair.client.answer(stream).reset == NGHTTP2_CANCEL);
  CHECK_FALSE(pair.session->working());
  CHECK(pair.session->TakeStreamChanges().size() == 1);
}

TEST_CASE("Http2Session BeginStop: a stream goes on until it is ended, and then the connection", "[aws]") {
  Http2Pair pair;
  std::int32_t stream = 0;
  const std::uint64_t id = BeginStream(pair, stream);
  pair.session->BeginStop();
  pair.Exchange();
  CHECK(pair.client.goaway().has_value());
  CHECK_FALSE(pair.session->done());
  pair.session->WriteStream(id, "a");
  pair.session->EndStream(id);
  pair.Exchange();
  CHECK(pair.client.answer(stream).body == "a");
  CHECK(pair.client.answer(stream).ended);
  CHECK(pair.session->done());
}

}  // namespace
}  // namespace sluice::broker::aws
