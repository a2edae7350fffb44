// One shard's log: frames by offset. The newest live in memory (the tail), the rest in segment files.
//
// Life of a frame: Append (LogWriter, memory only) -> Commit (journal, durable) -> Publish (visible to readers) ->
// written behind to the segment -> leaves memory when the tail's byte budget wants the room.
//
// Threads: one writer, the LogWriter of the event loop that owns the shard; it alone appends and publishes. Reads come
// from any thread. Readers never see past durable_end().
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/frame.h"
#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::storage {

/// Offsets that were acknowledged and are lost.
struct Hole {
  Offset first;
  Offset next;            // one past the last
  bool accepted = false;  // by the operator (LogStore::AcceptLoss): reads pass over it
  friend bool operator==(const Hole&, const Hole&) = default;
};

/// What a shard has lost, as far as recovery and reads have met it.
struct ShardDamage {
  std::string quarantine;   // why appends are refused; empty: they are not
  std::vector<Hole> holes;  // ascending
  /// True where there is something that the operator has not accepted yet.
  bool open() const { return !quarantine.empty() || !std::ranges::all_of(holes, &Hole::accepted); }
};

/// What a read gave: whole frames, the first of which holds the offset that was asked for, or where that is in an
/// accepted loss, the first offset behind it.
struct FrameRun {
  std::vector<protocol::Frame> frames;  // empty at the durable end
  Offset next;                          // where to read on
  std::uint64_t bytes = 0;
};

class ShardLog {
 public:
  virtual ~ShardLog() = default;
  virtual ShardId id() const = 0;

  /// The oldest offset that can be read; grows with retention.
  virtual Offset oldest() const = 0;
  /// One past the last durable, visible record.
  virtual Offset durable_end() const = 0;
  /// Append time of the newest visible frame; 0 where the shard is empty.
  virtual std::int64_t last_append_time_ms() const = 0;
  /// Bytes of all frames that can be read.
  virtual std::uint64_t retained_bytes() const = 0;
  virtual ShardDamage damage() const = 0;

  /// By the owning loop: refuses new batches from now on with kShardClosed. What an idempotent producer sends again is
  /// answered as before. Nothing of it reaches the disk: whoever knows that the shard is closed seals it after a start.
  virtual void Seal() = 0;

  /// Frames from memory, never blocking; nullopt where `from` is no longer in memory and ReadBlocking must be used. At
  /// least one frame where there is any, then as many as fit in `bytes_max`. kOutOfRange below oldest() or above
  /// durable_end().
  virtual Result<std::optional<FrameRun>> ReadTail(Offset from, std::uint64_t bytes_max) = 0;
  /// The same from memory or disk; blocks on the disk. kCorruption names shard, offsets and file; nothing is passed
  /// over but what the operator has accepted as lost.
  virtual Result<FrameRun> ReadBlocking(Offset from, std::uint64_t bytes_max) = 0;
  /// The first offset whose frame was appended at or after `time_ms`; durable_end() where there is none. Blocks.
  virtual Result<Offset> OffsetAtTimeBlocking(std::int64_t time_ms) = 0;
};

}  // namespace sluice::storage
