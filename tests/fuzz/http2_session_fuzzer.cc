// HTTP/2 of the AWS port: any frames behind the preface, cut at any places, requests answered late or at once, with a
// stop in between. No limit is passed, and what bodies took is given back.
#include <algorithm>
#include <string>
#include <vector>

#include "broker/api/aws/http_session.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::broker::aws {
namespace {

constexpr HttpLimits kLimits{.header_bytes_max = 1'000,
                             .body_bytes_max = 1'000,
                             .connection_bytes_max = 2'000,
                             .unsent_bytes_max = 100'000,
                             .streams_max = 4};

class Run {
 public:
  explicit Run(std::shared_ptr<BodyMemory> memory) : session_(NewHttp2Session(kLimits, std::move(memory))) {}

  void Feed(std::string_view bytes, std::uint8_t choice) {
    session_->Receive(bytes, choice);
    while (auto arrived = session_->Next()) {
      SLUICE_CHECK(arrived->request.body.size() <= kLimits.body_bytes_max);
      in_work_.push_back(std::move(*arrived));
    }
    SLUICE_CHECK(in_work_.size() <= kLimits.streams_max);
    while (in_work_.size() > choice % 3u) {
      session_->Answer(in_work_.back().id, {.status = 200, .fields = {}, .body = std::string(choice * 100u, 'x')});
      in_work_.pop_back();
    }
    if (choice == 255) session_->BeginStop();
    if (choice == 254) session_->GiveUp(200);
    std::vector<std::string> sent;
    session_->TakeOutput(sent, choice * 1'000u + 1'000);
  }
  bool done() const { return session_->done(); }

 private:
  std::unique_ptr<HttpSession> session_;
  std::vector<HttpSession::Arrived> in_work_;
};

}  // namespace
}  // namespace sluice::broker::aws

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::broker::aws;
  constexpr std::size_t kChoices = 4;
  if (size < kChoices) return -1;
  const std::string_view choices = sluice::fuzz::Input(data, kChoices);
  std::string_view input = sluice::fuzz::Input(data + kChoices, size - kChoices);
  const auto memory = std::make_shared<BodyMemory>(3'000);
  {
    Run run(memory);
    run.Feed(kHttp2Preface, 0);
    for (std::size_t i = 0; !input.empty() && !run.done(); ++i) {
      const auto choice = static_cast<std::uint8_t>(choices[i % kChoices]);
      const std::string_view piece = input.substr(0, 1 + choice * 3u);
      run.Feed(piece, choice);
      input.remove_prefix(piece.size());
    }
    SLUICE_CHECK(memory->bytes() <= 3'000);
  }
  SLUICE_CHECK(memory->bytes() == 0);
  return 0;
}
