// One thread for each request.
#include "broker/delivery/endpoints/waiting_post.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sluice::delivery {
namespace {

constexpr std::int64_t kWaitMs = 1000;     // for the answer, behind the sending
constexpr std::int64_t kLookMs = 10;       // when asked again
constexpr std::int64_t kStopLookMs = 50;   // how often `stop` is asked meanwhile
constexpr std::int64_t kAskFirstMs = 100;  // doubles
constexpr std::int64_t kAskMaxMs = 2000;

}  // namespace

WaitingPost::WaitingPost(std::string ca_file, std::function<bool()> stop)
    : stop_(std::move(stop)), client_(std::move(ca_file), [this] { return cut_off_.load(); }) {}

WaitingPost::~WaitingPost() { CutOff(); }

std::optional<Result<HttpAnswer>> WaitingPost::Send(Request request) {
  const bool goes_on = thread_.joinable() && request.key == request_.key;
  if (!goes_on) Start(std::move(request));
  if (!Wait(goes_on ? kLookMs : kWaitMs)) {
    if (!stop_()) {
      ask_again_ms_ = std::clamp(2 * ask_again_ms_, kAskFirstMs, kAskMaxMs);
      return std::nullopt;
    }
    cut_off_ = true;
  }
  thread_.join();
  return std::exchange(answer_, std::nullopt);
}

void WaitingPost::Start(Request request) {
  CutOff();
  cut_off_ = false;
  ask_again_ms_ = 0;
  answer_.reset();
  request_ = std::move(request);
  request_.post.body = request_.body;
  request_.post.signer = request_.signer ? &*request_.signer : nullptr;
  thread_ = std::thread([this] {
    Result<HttpAnswer> answer = client_.Post(request_.post);
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
    answered_.notify_all();
  });
}

void WaitingPost::CutOff() {
  if (!thread_.joinable()) return;
  cut_off_ = true;
  thread_.join();
}

/// Whether there is an answer; ends early where it is to stop.
bool WaitingPost::Wait(std::int64_t wait_ms) {
  using std::chrono::milliseconds;
  const auto end = std::chrono::steady_clock::now() + milliseconds(wait_ms);
  std::unique_lock lock(mutex_);
  while (!answer_ && !stop_() && std::chrono::steady_clock::now() < end) {
    answered_.wait_for(lock, milliseconds(std::min(wait_ms, kStopLookMs)));
  }
  return answer_.has_value();
}

}  // namespace sluice::delivery
