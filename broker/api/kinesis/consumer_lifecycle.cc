// One table of the consumers that were deregistered a moment ago.
#include "broker/api/kinesis/consumer_lifecycle.h"

namespace sluice::broker::kinesis {

StreamState ConsumerLifecycle::StateOf(const StreamConsumer& consumer) const {
  const bool creating =
      options_.create_delay_ms > 0 && clock_.WallMs() < consumer.created_ms + options_.create_delay_ms;
  return creating ? StreamState::kCreating : StreamState::kActive;
}

void ConsumerLifecycle::Deregistered(StreamId stream, const std::string& name, const StreamConsumer& consumer) {
  if (options_.delete_delay_ms == 0) return;
  const std::int64_t now_ms = clock_.WallMs();
  const std::lock_guard lock(mutex_);
  std::erase_if(deleting_, [&](const auto& one) { return one.second.until_ms <= now_ms; });
  deleting_[{stream, name}] = {consumer, now_ms + options_.delete_delay_ms};
}

std::map<std::string, StreamConsumer> ConsumerLifecycle::Deleting(StreamId stream) const {
  std::map<std::string, StreamConsumer> consumers;
  if (options_.delete_delay_ms == 0) return consumers;
  const std::int64_t now_ms = clock_.WallMs();
  const std::lock_guard lock(mutex_);
  for (auto one = deleting_.lower_bound({stream, ""}); one != deleting_.end() && one->first.first == stream; ++one) {
    if (now_ms < one->second.until_ms) consumers[one->first.second] = one->second.consumer;
  }
  return consumers;
}

}  // namespace sluice::broker::kinesis
