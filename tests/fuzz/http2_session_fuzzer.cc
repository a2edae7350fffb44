// HTTP/2 of the AWS port: any frames behind the preface, cut at any places, requests answered late or at once, as a
// whole or in pieces, with a stop in between. No limit is passed, and what bodies took is given back.
#include <algorithm>
#include <set>
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
                             .stream_unsent_bytes_max = 5'000,
                             .streams_max = 4};

class Run {
 public:
  explicit Run(std::shared_ptr<BodyMemory> memory) : session_(NewHttp2Session(kLimits, std::move(memory))) {}

  void Feed(std::string_view bytes, std::uint8_t choice) {
    session_->Receive(bytes, choice);
    DropStreamsThatAreGone();
    while (auto arrived = session_->Next()) {
      SLUICE_CHECK(arrived->request.body.size() <= kLimits.body_bytes_max);
      in_work_.push_back(std::move(*arrived));
    }
    SLUICE_CHECK(in_work_.size() + streams_.size() <= kLimits.streams_max);
    while (in_work_.size() > choice % 3u) {
      if (choice % 2 == 0) {
        session_->Answer(in_work_.back().id, {.status = 200, .fields = {}, .body = std::string(choice * 100u, 'x')});
      } else {
        session_->BeginStream(in_work_.back().id, {});
        streams_.insert(in_work_.back().id);
      }
      in_work_.pop_back();
    }
    GoOnWithStreams(choice);
    if (choice == 255) session_->BeginStop();
    if (choice == 254) session_->GiveUp(300, 100);
    std::vector<std::string> sent;
    session_->TakeOutput(sent, choice * 1'000u + 1'000);
    DropStreamsThatAreGone();
  }
  bool done() const { return session_->done(); }

 private:
  // A piece to each while it has room; one of them ends, well or badly.
  void GoOnWithStreams(std::uint8_t choice) {
    for (const std::uint64_t id : streams_) {
      if (session_->StreamHasRoom(id)) session_->WriteStream(id, std::string(choice * 10u, 'y'));
    }
    if (streams_.empty() || choice % 4 == 0) return;
    const std::uint64_t first = *streams_.begin();
    if (choice % 4 == 1) {
      session_->EndStream(first);
      streams_.erase(first);
    } else if (choice % 4 == 2) {
      session_->AbortStream(first);
    }
  }
  void DropStreamsThatAreGone() {
    for (const HttpSession::StreamChange& change : session_->TakeStreamChanges()) {
      if (change.gone) streams_.erase(change.id);
    }
  }

  std::unique_ptr<HttpSession> session_;
  std::vector<HttpSession::Arrived> in_work_;
  std::set<std::uint64_t> streams_;  // answers that go on
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
