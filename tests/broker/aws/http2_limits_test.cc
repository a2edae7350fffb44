// What a session of HTTP/2 holds of answers, and headers in many fields and frames.
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "tests/broker/aws/http2_pair.h"
#include "tests/catch.h"

namespace sluice::broker::aws {
namespace {

TEST_CASE("Http2Session unsent_bytes: of an answer that is sent in part, all that it holds", "[aws]") {
  Http2Pair pair({}, Memory(), Http2Peer::Windows::kShut);
  const std::int32_t stream = pair.client.Post({}, "{}");
  pair.Exchange();
  pair.session->Answer(pair.session->Next()->id, {.status = 200, .fields = {}, .body = std::string(100'000, 'x')});
  pair.Exchange();
  CHECK(pair.client.answer(stream).body.size() == 65'535);
  CHECK(pair.session->unsent_bytes() == 100'000);
  const bool reset = GENERATE(true, false);
  if (reset) pair.client.Reset(stream);
  for (const std::int32_t window : {stream, 0}) {
    if (!reset) pair.client.OpenWindow(window, 100'000);
  }
  pair.Exchange();
  CHECK(pair.session->unsent_bytes() == 0);
}

/// A header of `fields` fields with values of `value_bytes` each.
Http2Peer::Fields Fields(int fields, std::size_t value_bytes) {
  Http2Peer::Fields all;
  for (int i = 0; i < fields; ++i) all.emplace_back("x-" + std::to_string(i), std::string(value_bytes, 'v'));
  return all;
}

/// CONTINUATION frames among `frames`.
int CountContinuations(std::string_view frames) {
  constexpr std::size_t kHeadBytes = 9;
  int count = 0;
  while (frames.size() >= kHeadBytes) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < 3; ++i) bytes = bytes << 8 | static_cast<std::uint8_t>(frames[i]);
    if (frames[3] == NGHTTP2_CONTINUATION) ++count;
    frames.remove_prefix(std::min(frames.size(), kHeadBytes + bytes));
  }
  return count;
}

TEST_CASE("Http2Session: hundreds of small fields, and too many of them", "[aws]") {
  Http2Pair pair;
  pair.client.Post(Fields(700, 1), "{}");
  pair.Exchange();
  auto arrived = pair.session->Next();
  REQUIRE(arrived.has_value());
  CHECK(arrived->request.problem == HttpProblem::kNone);
  CHECK(arrived->request.fields.size() == 701);  // with the host
  for (const char* name : {"x-0", "x-350", "x-699"}) CHECK(arrived->request.Find(name) == "v");
  const std::int32_t too_many = pair.client.Post(Fields(1'000, 1), "{}");  // 32 bytes more of each count
  pair.Exchange();
  arrived = pair.session->Next();
  REQUIRE(arrived.has_value());
  CHECK(arrived->id == static_cast<std::uint64_t>(too_many));
  CHECK(arrived->request.problem == HttpProblem::kHeaderTooLarge);
}

TEST_CASE("Http2Session: a header of many frames, within the limit and beyond it", "[aws]") {
  const bool fits = GENERATE(true, false);
  Http2Pair pair({.header_bytes_max = fits ? 200'000u : 32u << 10});
  const std::int32_t stream = pair.client.Post(Fields(5, 30'000), "{}");  // more than 64 KiB, however it is packed
  const std::string frames = pair.client.Output();
  REQUIRE(frames.size() > 64u << 10);
  REQUIRE(CountContinuations(frames) >= 4);
  pair.session->Receive(frames, 0);
  pair.Exchange();
  auto arrived = pair.session->Next();
  REQUIRE(arrived.has_value());
  CHECK(arrived->id == static_cast<std::uint64_t>(stream));
  CHECK(arrived->request.problem == (fits ? HttpProblem::kNone : HttpProblem::kHeaderTooLarge));
  if (fits) CHECK(arrived->request.Find("x-4") == std::string(30'000, 'v'));
  const std::int32_t next = pair.client.Post(Fields(5, 10), "{}");  // by the table that both have kept
  pair.Exchange();
  arrived = pair.session->Next();
  REQUIRE(arrived.has_value());
  CHECK(arrived->id == static_cast<std::uint64_t>(next));
  CHECK(arrived->request.Find("x-4") == "vvvvvvvvvv");
  CHECK_FALSE(pair.session->failed());
}

}  // namespace
}  // namespace sluice::broker::aws
