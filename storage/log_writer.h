// The append side of the log: one LogWriter per event loop, the single writer of the shards that the loop owns.
//
// Append assigns the offset and puts the frame in this turn's group; at the end of the turn (a task posted to the loop)
// the group goes to the journal, which makes the groups of all loops durable with one write and one flush. Small groups
// are committed on the calling thread when nothing is in flight, large ones on the commit thread. Then, back on the
// loop: Publish (durable_end moves, waiters are told) and acknowledge, in append order.
//
// Life: the store outlives the tasks that its writers have posted. Whoever ends a store closes it, lets its loops run
// what is posted (or stops them), and destroys it then; a task that runs later ends the process with a failed check.
//
// Threads: everything on the owning loop's thread, `done` and the listener too.
#pragma once

#include <cstdint>
#include <functional>

#include "protocol/frame.h"
#include "storage/shard_log.h"

namespace sluice::storage {

enum class AckMode : std::uint8_t {
  kDurable = 0,  // after fdatasync returned 0
  kWritten = 1,  // after write returned all bytes; on disk within the flush interval
  kNone = 2,     // at once; nothing is promised
};

struct Appended {
  Offset base_offset;
  std::int64_t append_time_ms = 0;
  bool duplicate = false;  // an idempotent producer's retry: these are the offset and time of the first
};

class LogWriter {
 public:
  using Done = std::move_only_function<void(const Result<Appended>&)>;
  /// Called once for each shard whose durable end moved, after the group's acknowledgements.
  using Published = std::function<void(ShardLog&)>;

  /// With the shard's end, where all of it is durable.
  using Drained = std::move_only_function<void(Result<Offset>)>;

  virtual ~LogWriter() = default;
  virtual void SetPublishedListener(Published listener) = 0;

  /// Appends one verified batch to `shard`. `done` is called exactly once, possibly before Append returns (kNone,
  /// refusals). kFailedPrecondition: gap in an idempotent producer's sequence; kFenced: older producer epoch;
  /// kResourceExhausted: disk full; kIoError: writing has ended on this data directory; kCorruption: the shard is
  /// quarantined; kShardClosed: it is sealed, and the batch is none that it has.
  virtual void Append(ShardLog& shard, protocol::FrameBuffer batch, const protocol::BatchHeader& header, AckMode ack,
                      Done done) = 0;

  /// Calls `done` once everything that was appended to `shard` before is durable, in whatever mode, and those appends
  /// are answered. kIoError where some of it never will be.
  virtual void Drain(ShardLog& shard, Drained done) = 0;
};

}  // namespace sluice::storage
