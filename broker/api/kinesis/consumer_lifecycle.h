// The states of consumers, where streams pass states (stream_lifecycle.h): CREATING for kinesis.create_delay after they
// were registered, DELETING for kinesis.delete_delay after they were deregistered. Without such times every consumer is
// ACTIVE.
//
// Nothing of this is kept: a consumer that is DELETING is gone from its stream, and a restart forgets it.
//
// Threads: any; one short lock.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "broker/api/kinesis/kinesis_options.h"
#include "broker/api/kinesis/stream_lifecycle.h"
#include "broker/stream_catalog.h"
#include "storage/env/env.h"

namespace sluice::broker::kinesis {

class ConsumerLifecycle {
 public:
  /// `clock` outlives it.
  ConsumerLifecycle(const KinesisOptions& options, storage::Clock& clock) : options_(options), clock_(clock) {}

  /// Of one that its stream has: CREATING or ACTIVE.
  StreamState StateOf(const StreamConsumer& consumer) const;
  void Deregistered(StreamId stream, const std::string& name, const StreamConsumer& consumer);
  /// Those of a stream that are DELETING, by name.
  std::map<std::string, StreamConsumer> Deleting(StreamId stream) const;

 private:
  struct Passing {
    StreamConsumer consumer;
    std::int64_t until_ms = 0;
  };

  const KinesisOptions options_;
  storage::Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::pair<StreamId, std::string>, Passing> deleting_;  // guarded by mutex_; the past goes with the next one
};

}  // namespace sluice::broker::kinesis
