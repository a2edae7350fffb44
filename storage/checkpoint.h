// The checkpoint: what the segments hold, and from where the journal must be replayed.
//
// Two files, checkpoint-a and checkpoint-b, written in turn, each whole, synced before it counts; a crash while one is
// written leaves the other. The journal is reused and dropped segments are reused only after the checkpoint that lets
// go of them is synced. storage/FORMAT.md, section "Checkpoint".
//
// Threads: one at a time (the checkpointer, or recovery before it starts).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/ids.h"
#include "sluice/status.h"
#include "storage/env/env.h"
#include "storage/producer_table.h"
#include "storage/shard_log.h"

namespace sluice::storage {

inline constexpr std::uint32_t kCheckpointMagic = 0x31434C53;  // "SLC1"
inline constexpr std::uint8_t kCheckpointVersion = 1;
inline constexpr std::uint8_t kCheckpointCleanFlag = 1;

/// A place in the journal: where group `group` begins.
struct JournalPosition {
  std::uint64_t file_sequence = 0;
  std::uint64_t position = 0;
  std::uint64_t group = 1;
  friend bool operator==(const JournalPosition&, const JournalPosition&) = default;
};

/// How much of a segment file counts.
struct SegmentExtent {
  Offset base;
  Offset end;
  std::uint64_t bytes = 0;  // header page included
  std::int64_t last_append_time_ms = 0;
  std::uint64_t last_checksum = 0;
  friend bool operator==(const SegmentExtent&, const SegmentExtent&) = default;
};

struct ShardRecord {
  ShardId id;
  Offset oldest;
  Offset end;  // everything below is in the segments
  std::int64_t last_append_time_ms = 0;
  std::string quarantine;  // why appends are refused; empty: they are not
  std::vector<Hole> holes;
  std::vector<SegmentExtent> segments;
  std::vector<ProducerState> producers;
  friend bool operator==(const ShardRecord&, const ShardRecord&) = default;
};

struct Checkpoint {
  std::uint64_t sequence = 0;
  bool clean = false;  // nothing was written after it
  JournalPosition replay;
  std::uint64_t durable_mark = 0;
  std::vector<ShardRecord> shards;
};

std::string EncodeCheckpoint(const Checkpoint& checkpoint);
Result<Checkpoint> DecodeCheckpoint(std::string_view bytes);

/// The pair of files.
class CheckpointFiles {
 public:
  CheckpointFiles(Env& env, std::string dir) : env_(env), dir_(std::move(dir)) {}

  struct Loaded {
    std::optional<Checkpoint> newest;  // none where neither copy is good
    std::vector<std::string> damaged;  // one sentence for each copy that is there and not good
  };
  /// kIoError where the disk cannot be read.
  Result<Loaded> Load();
  /// Writes the copy that the sequence number's turn is and syncs it.
  Status Save(const Checkpoint& checkpoint);

 private:
  std::string PathFor(std::uint64_t sequence) const {
    return dir_ + (sequence % 2 == 1 ? "/checkpoint-a" : "/checkpoint-b");
  }
  Status LoadCopy(const std::string& path, Loaded& loaded);

  Env& env_;
  const std::string dir_;
};

}  // namespace sluice::storage
