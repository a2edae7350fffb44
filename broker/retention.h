// The background task that removes what no stream keeps any longer: segments past a stream's age or bytes limit.
//
// Every interval, on its own thread: each shard gets its stream's age limit and its even part of the stream's bytes
// limit, never past the lowest undelivered offset (RetentionHolds). Whole segments go, the oldest first. A crash at any
// point only leaves work for the next pass. The files of deleted streams are not its business: Shards drops them.
//
// Threads: Start and Stop by one thread; RunOnce by tests, when not started.
#pragma once

#include <cstdint>
#include <memory>

#include "broker/retention_holds.h"
#include "broker/stream_catalog.h"
#include "storage/log_store.h"

namespace sluice::broker {

struct RetentionOptions {
  std::int64_t interval_ms = 5'000;
};

class Retention {
 public:
  /// All references outlive the object.
  Retention(storage::LogStore& store, StreamCatalog& catalog, const RetentionHolds& holds, RetentionOptions options);
  ~Retention();

  void Start();
  /// Waits for a pass that is under way.
  void Stop();
  /// One pass; returns the bytes freed.
  std::uint64_t RunOnce();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::broker
