// One request at a time.
#include "broker/delivery/replay_request.h"

namespace sluice::delivery {

std::uint64_t ReplayRequest::Begin(const ErrorFilter& filter) {
  const std::lock_guard lock(mutex_);
  current_ = ReplayProgress{.number = next_number_++, .filter = filter};
  return current_->number;
}

std::optional<ReplayProgress> ReplayRequest::Find(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  return current_ && current_->number == number ? current_ : std::nullopt;
}

std::optional<ReplayProgress> ReplayRequest::Wanted() const {
  const std::lock_guard lock(mutex_);
  return current_ && !current_->done ? current_ : std::nullopt;
}

void ReplayRequest::Delivered(std::uint64_t records, std::uint64_t failed) {
  const std::lock_guard lock(mutex_);
  if (!current_ || current_->done) return;  // of an intent that was stored before a restart
  current_->records += records;
  current_->failed += failed;
}

void ReplayRequest::End(const std::string& problem, std::uint64_t gone) {
  const std::lock_guard lock(mutex_);
  if (!current_) return;
  current_->done = true;
  current_->problem = problem;
  current_->gone = gone;
}

}  // namespace sluice::delivery
