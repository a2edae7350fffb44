// The states that AWS's streams pass: CREATING, UPDATING and DELETING for configured times, so that applications can be
// tried against them. Without such times every stream is ACTIVE, and asking costs one branch.
//
// Nothing of this is kept: a change is durable and in force when it is answered, and only told later. A stream is
// CREATING for a time after it was made, by whatever door. A deleted stream is gone from the catalog; its name answers
// as DELETING. A restart ends UPDATING and DELETING.
//
// Threads: any; one short lock.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include "broker/api/kinesis/kinesis_options.h"
#include "broker/stream_catalog.h"
#include "storage/env/env.h"

namespace sluice::broker::kinesis {

enum class StreamState : std::uint8_t { kActive, kCreating, kUpdating, kDeleting };
/// "ACTIVE", "CREATING", ..
std::string_view NameOf(StreamState state);

class StreamLifecycle {
 public:
  /// `clock` outlives it.
  StreamLifecycle(const KinesisOptions& options, storage::Clock& clock);

  StreamState StateOf(const StreamInfo& stream) const { return enabled_ ? Look(stream) : StreamState::kActive; }
  /// What is told of a stream: while it is UPDATING, what it was before.
  StreamPtr Told(const StreamPtr& stream) const;
  /// A stream that is DELETING; nullptr where there is none of this name.
  StreamPtr FindDeleting(std::string_view name) const;
  std::vector<StreamPtr> Deleting() const;

  /// `before`: the stream as it was.
  void Changed(const StreamPtr& before);
  void Deleted(const StreamPtr& stream);

 private:
  struct Passing {
    StreamState state;
    StreamPtr stream;
    std::int64_t until_ms;
  };
  StreamState Look(const StreamInfo& stream) const;
  void Pass(const Passing& passing);

  const KinesisOptions options_;
  const bool enabled_;
  storage::Clock& clock_;
  mutable std::mutex mutex_;
  std::map<StreamId, Passing> passing_;  // guarded by mutex_; those of the past go with the next change
};

}  // namespace sluice::broker::kinesis
