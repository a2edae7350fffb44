// Read: what every door and the delivery stage call to get frames, from a position, waiting for new ones where asked.
// Nobody else reads records out of the log, so that sealed batches are opened here and seen by nobody.
//
// Threads: call Read on any event loop, or with a caller of its own Executor; `done` runs there, exactly once. Long
// polls wait on "the durable end moved", never on a timer but their own limit.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <variant>

#include "protocol/ids.h"
#include "sluice/status.h"
#include "storage/executor.h"
#include "storage/shard_log.h"

namespace sluice::broker {

class Metrics;
class Shards;

struct FromOldest {};
struct FromLatest {};
struct FromTime {
  std::int64_t time_ms = 0;
};
using ReadFrom = std::variant<Offset, FromTime, FromOldest, FromLatest>;

struct ReadRequest {
  StreamId stream;
  ShardIndex shard;
  ReadFrom from;
  std::uint64_t bytes_max = 4u << 20;  // at least one frame is given
  std::uint64_t records_max = 0;       // 0: no limit; whole frames
  std::uint32_t wait_ms = 0;           // at an open shard's end: how long to wait for a first record
  bool caller_may_block = false;       // what takes long is done on the caller's thread, not on the blocking pool
  std::function<void()> waits = {};    // as `done`: called before it, when the read begins to wait
};

struct ReadAnswer {
  storage::FrameRun run;
  Offset first;         // where the read started; above the offset asked for only behind an accepted loss
  Offset oldest;        // of the shard, now
  Offset end;           // durable end, now
  bool closed = false;  // the shard was split or merged: `end` stays, and what comes next is in its children
};

struct ReadOptions {
  std::uint64_t bytes_max = 16u << 20;  // what one answer may hold, whatever is asked for (one frame may be more)
  std::int64_t wait_ms_max = 60'000;    // the longest long poll; longer ones are cut to it
  std::uint64_t waiters_max = 100'000;  // long polls that wait at one time, on each event loop
};

class ReadService {
 public:
  using Done = std::move_only_function<void(Result<ReadAnswer>)>;
  virtual ~ReadService() = default;
  /// The references outlive the service.
  static std::unique_ptr<ReadService> New(Shards& shards, Metrics& metrics, ReadOptions options);

  /// `done` is called once, and it and `request.waits` are destroyed, by the caller's executor.
  /// kNotFound: no such stream or shard; kOutOfRange: below the oldest or above the end (the message names both). Of
  /// encrypted records, at the first frame only (what stands before such a frame is given): kFailedPrecondition: the
  /// key cannot be used; kCorruption: the bytes are not those that were sealed.
  virtual void Read(storage::Executor& caller, ReadRequest request, Done done) = 0;
};

}  // namespace sluice::broker
