// What a session of HTTP/2 holds of answers, and headers in many fields and frames.
#include <nghttp2/nghttp2.h>

#include <string>

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

}  // namespace
}  // namespace sluice::broker::aws
