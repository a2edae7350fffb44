// On-demand streams grow by load: a shard whose appends stay above what a shard is meant for is split in the middle of
// its hash keys.
//
// Every interval, on its own thread: how many records each open shard of an on-demand stream has taken since the check
// before, and how many bytes that is by the average of its records. Three checks in a row above either threshold, and
// it is split; its children begin anew. A stream stops growing at `shards_max`; it never shrinks by itself. Nothing is
// kept: a restart begins to count anew.
//
// Threads: Start and Stop by one thread; RunOnce by tests, when not started.
#pragma once

#include <cstdint>
#include <memory>

#include "broker/reshard.h"
#include "broker/stream_catalog.h"
#include "storage/env/env.h"
#include "storage/log_store.h"

namespace sluice::broker {

/// What Kinesis gives one shard, and how many an on-demand stream may have there without a request.
struct GrowthOptions {
  std::int64_t interval_ms = 10'000;
  std::uint64_t shard_bytes_per_second = 1u << 20;
  std::uint64_t shard_records_per_second = 1'000;
  std::uint32_t shards_max = 200;  // open ones of one stream; 0: streams do not grow
};

/// What growth works with; all of it outlives it.
struct GrowthParts {
  storage::LogStore& store;
  StreamCatalog& catalog;
  Resharder& resharder;
  storage::Clock& clock;
};

class ShardGrowth {
 public:
  ShardGrowth(const GrowthParts& parts, GrowthOptions options);
  ~ShardGrowth();

  void Start();
  /// Waits for a check that is under way.
  void Stop();
  /// One check; returns how many shards it has split.
  std::size_t RunOnce();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The first hash key of a shard's upper half; kMinHashKey where it owns but one.
protocol::HashKey MiddleOf(const protocol::ShardRange& range);

}  // namespace sluice::broker
