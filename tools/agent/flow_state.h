// What a flow writes down: how far its files are read, and the batches of what was read that are not known to be
// stored.
//
// One file for each flow in the directory of --state, FLOW-HASH.state:
//
//     sluice-agent 1 BYTES CRC32C        one line; BYTES is the JSON's length, CRC32C (8 hex digits) covers all behind
//     it
//     {"flow":..,"files":[..],"batches":[{"stream_id":..,"shard":..,"records":..,"bytes":..}]}
//     the bytes of the batches, one behind another
//
// It is replaced as a whole: a new file is written and flushed, takes the old one's name, and the directory is flushed.
// Whatever a crash leaves, the file of that name is complete. Threads: one for each file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/resumable_producer.h"
#include "sluice/status.h"
#include "tools/agent/file_position.h"

namespace sluice::tools {

struct FlowState {
  std::vector<FilePosition> files;
  std::vector<PreparedBatch> batches;
};

class FlowStateFile {
 public:
  /// `flow` is its name for people and decides the file's.
  FlowStateFile(const std::string& directory, std::string flow);

  /// nullopt where there is none: the flow starts for the first time. kCorruption for a file that is not complete.
  Result<std::optional<FlowState>> Read() const;
  /// Durable when it returns OK.
  Status Write(const FlowState& state) const;
  const std::string& path() const { return path_; }

 private:
  const std::string directory_;
  const std::string flow_;
  const std::string path_;
};

/// Holds the directory of --state for this process, and makes it where it is not there.
class StateLock {
 public:
  /// kFailedPrecondition where another agent has it.
  static Result<StateLock> Take(const std::string& directory);
  StateLock(StateLock&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  StateLock& operator=(StateLock&&) = delete;
  ~StateLock();

 private:
  explicit StateLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace sluice::tools
