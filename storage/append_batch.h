// What one writer gathered in one turn of its loop: it goes to the journal as a whole and is acknowledged as a whole.
//
// Threads: filled by the writer, then the committer's until `state` has left kQueued, then the writer's again.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "protocol/frame.h"
#include "storage/log_writer.h"
#include "storage/shard_log_impl.h"

namespace sluice::storage {

struct PendingAppend {
  std::shared_ptr<ShardLogImpl> shard;
  protocol::Frame frame;  // empty where this is a duplicate of a batch that is on its way
  Appended answer;
  AckMode ack = AckMode::kDurable;
  LogWriter::Done done;  // empty once it was called
};

/// Who is told when a batch has moved on.
class BatchOwner {
 public:
  virtual ~BatchOwner() = default;
  /// From the committing thread.
  virtual void BatchesMoved() = 0;
};

struct AppendBatch {
  enum class State : std::uint8_t { kQueued, kWritten, kDurable, kFailed };

  std::vector<PendingAppend> appends;
  std::size_t frame_count = 0;
  std::uint64_t frame_bytes = 0;
  std::int64_t append_time_ms = 0;  // of all its frames: one reading of the clock for a turn
  bool wants_flush = false;         // somebody waits for durability
  bool wants_written = false;       // somebody waits for the write alone
  bool written_acked = false;
  std::weak_ptr<BatchOwner> owner;

  // Set by the committer before `state`.
  std::int64_t submitted_ns = 0;
  std::uint64_t group = 0;
  Status failure;
  std::atomic<State> state{State::kQueued};
};

}  // namespace sluice::storage
