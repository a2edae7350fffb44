// One table of the streams that were changed or deleted a moment ago.
#include "broker/api/kinesis/stream_lifecycle.h"

namespace sluice::broker::kinesis {

std::string_view NameOf(StreamState state) {
  switch (state) {
    case StreamState::kActive:
      return "ACTIVE";
    case StreamState::kCreating:
      return "CREATING";
    case StreamState::kUpdating:
      return "UPDATING";
    case StreamState::kDeleting:
      break;
  }
  return "DELETING";
}

StreamLifecycle::StreamLifecycle(const KinesisOptions& options, storage::Clock& clock)
    : options_(options),
      enabled_(options.create_delay_ms + options.update_delay_ms + options.delete_delay_ms > 0),
      clock_(clock) {}

StreamState StreamLifecycle::Look(const StreamInfo& stream) const {
  const std::int64_t now_ms = clock_.WallMs();
  const std::lock_guard lock(mutex_);
  const auto found = passing_.find(stream.id);
  if (found != passing_.end() && now_ms < found->second.until_ms) return found->second.state;
  return now_ms < stream.created_ms + options_.create_delay_ms ? StreamState::kCreating : StreamState::kActive;
}

StreamPtr StreamLifecycle::Told(const StreamPtr& stream) const {
  if (StateOf(*stream) != StreamState::kUpdating) return stream;
  const std::lock_guard lock(mutex_);
  const auto found = passing_.find(stream->id);
  return found != passing_.end() ? found->second.stream : stream;
}

StreamPtr StreamLifecycle::FindDeleting(std::string_view name) const {
  for (StreamPtr& stream : Deleting()) {
    if (stream->name == name) return std::move(stream);
  }
  return nullptr;
}

std::vector<StreamPtr> StreamLifecycle::Deleting() const {
  std::vector<StreamPtr> streams;
  if (!enabled_) return streams;
  const std::int64_t now_ms = clock_.WallMs();
  const std::lock_guard lock(mutex_);
  for (const auto& [id, passing] : passing_) {
    if (passing.state == StreamState::kDeleting && now_ms < passing.until_ms) streams.push_back(passing.stream);
  }
  return streams;
}

void StreamLifecycle::Changed(const StreamPtr& before) {
  if (options_.update_delay_ms == 0) return;
  Pass({StreamState::kUpdating, before, clock_.WallMs() + options_.update_delay_ms});
}

void StreamLifecycle::Deleted(const StreamPtr& stream) {
  if (options_.delete_delay_ms == 0) return;
  Pass({StreamState::kDeleting, stream, clock_.WallMs() + options_.delete_delay_ms});
}

void StreamLifecycle::Pass(const Passing& passing) {
  const std::int64_t now_ms = clock_.WallMs();
  const std::lock_guard lock(mutex_);
  std::erase_if(passing_, [&](const auto& one) { return one.second.until_ms <= now_ms; });
  passing_.insert_or_assign(passing.stream->id, passing);
}

}  // namespace sluice::broker::kinesis
