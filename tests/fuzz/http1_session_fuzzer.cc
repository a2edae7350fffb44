// HTTP/1.1 of the AWS port: any bytes, cut at any places, each request answered at once, as a whole or in pieces.
// However the bytes are cut, the requests are the same, and no limit is passed. (What is no request may be refused
// earlier or later.)
#include <algorithm>
#include <string>
#include <vector>

#include "broker/api/aws/http_session.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::broker::aws {
namespace {

constexpr HttpLimits kLimits{.header_bytes_max = 2'000, .body_bytes_max = 1'000};

std::string Shown(const HttpRequest& request) {
  std::string text = request.method + ' ' + request.path + '?' + request.query + '\n';
  for (const HttpField field : request.fields.all()) text.append(field.name).append(":").append(field.value) += '\n';
  return text + '\n' + request.body;
}

/// The next request waits until the end, or the connection is over.
void AnswerInPieces(HttpSession& session, const HttpSession::Arrived& arrived) {
  const std::size_t pieces = arrived.request.body.size() % 5;
  session.BeginStream(arrived.id, {});
  for (std::size_t i = 0; i < pieces; ++i) {
    session.WriteStream(arrived.id, std::string(i * 100, 'x'));
    SLUICE_CHECK(session.working() && !session.done() && !session.Next());
  }
  session.EndStream(arrived.id);
  SLUICE_CHECK(session.TakeStreamChanges().empty());
}

/// The requests; `cuts` say in which pieces `input` comes.
std::string ReadAll(std::string_view input, std::string_view cuts) {
  const auto memory = std::make_shared<BodyMemory>(10'000);
  const auto session = NewHttp1Session(kLimits, memory);
  std::string log;
  std::vector<std::string> sent;
  for (std::size_t i = 0; !input.empty() && !session->done(); ++i) {
    const std::size_t bytes = cuts.empty() ? input.size() : 1 + static_cast<std::uint8_t>(cuts[i % cuts.size()]) * 3u;
    session->Receive(input.substr(0, bytes), 0);
    input.remove_prefix(std::min(bytes, input.size()));
    while (auto arrived = session->Next()) {
      SLUICE_CHECK(arrived->request.body.size() <= kLimits.body_bytes_max);
      if (!session->failed()) log += Shown(arrived->request);
      if (arrived->request.body.size() % 2 == 0) {
        session->Answer(arrived->id, {.status = 200, .fields = {}, .body = "answer"});
      } else {
        AnswerInPieces(*session, *arrived);
      }
      SLUICE_CHECK(session->unsent());
      session->TakeOutput(sent, 1u << 20);
    }
    session->TakeOutput(sent, 1u << 20);
    SLUICE_CHECK(!session->unsent() && !session->working());
  }
  SLUICE_CHECK(memory->bytes() <= kLimits.body_bytes_max);
  return log;
}

}  // namespace
}  // namespace sluice::broker::aws

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::broker::aws;
  constexpr std::size_t kCuts = 4;
  if (size < kCuts) return -1;
  const std::string_view cuts = sluice::fuzz::Input(data, kCuts);
  const std::string_view input = sluice::fuzz::Input(data + kCuts, size - kCuts);
  SLUICE_CHECK(ReadAll(input, cuts) == ReadAll(input, {}));
  return 0;
}
