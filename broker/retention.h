// The background task that removes what no stream keeps any longer: segments past a stream's age or bytes limit.
//
// Every interval, and sooner where much was appended meanwhile, so that a stream is not far above its bytes limit for
// long and new segments find old ones to write over. On its own thread: each shard gets its stream's age limit, never
// past the lowest undelivered offset (RetentionHolds). Of the stream's bytes limit each open shard gets an even part,
// and closed ones what the open ones leave, those that were closed last first. Whole segments go, the oldest first. A
// closed shard that is empty, and was closed longer ago than the age limit (or a day, where there is none), is
// forgotten: the catalog first, then its files. A crash at any point only leaves work for the next pass, or for the
// next start (Shards::DropOrphans). The files of deleted streams are not its business.
//
// Threads: Start and Stop by one thread; RunOnce by tests, when not started.
#pragma once

#include <cstdint>
#include <memory>

#include "broker/retention_holds.h"
#include "broker/shards.h"
#include "broker/stream_catalog.h"
#include "storage/env/env.h"
#include "storage/log_store.h"

namespace sluice::broker {

struct RetentionOptions {
  std::int64_t interval_ms = 5'000;
  std::uint64_t appended_bytes = 256u << 20;  // sooner, where all streams took so many since the last pass
};

/// What retention works with; all of it outlives it.
struct RetentionParts {
  storage::LogStore& store;
  StreamCatalog& catalog;
  const RetentionHolds& holds;
  Shards& shards;
  storage::Clock& clock;
};

class Retention {
 public:
  Retention(const RetentionParts& parts, RetentionOptions options);
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
