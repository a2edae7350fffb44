// One flow: from files to a stream, each record once.
//
//     loop
//       collect    records of the files, until there are enough or the first is old enough
//       prepare    batches of them, under the producer's number and sequence
//       write down the batches, and how far the files are read with them        (one file, flushed)
//       send       the batches, again and again, until each is stored
//
// The next collecting begins when everything is stored, so memory is bounded by one chunk, and a broker that is away
// stops the reading and nothing else. After a crash the batches that were written down are sent as they are: the
// broker recognises those that it has. What was collected and not written down is read again.
//
// Threads: Run on one; stats from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "sluice/types.h"
#include "tools/agent/agent_config.h"
#include "tools/agent/flow_state.h"
#include "tools/agent/tailer.h"

namespace sluice::tools {

struct FlowStats {
  std::uint64_t records = 0;  // stored, by this process
  std::uint64_t bytes = 0;
  std::uint64_t left_out = 0;  // not in the format of dataProcessingOptions
  std::uint64_t cut = 0;
};

class Flow {
 public:
  Flow(FlowConfig config, const AgentConfig& agent, const std::string& state_directory, ClientOptions client);

  /// Until `stop`: OK then. Otherwise why it cannot go on at all.
  Status Run(const std::stop_token& stop);
  FlowStats stats() const { return {records_, bytes_, left_out_, cut_}; }
  const FlowConfig& config() const { return config_; }
  /// "/var/log/app.log into orders"
  std::string name() const;

 private:
  Result<bool> Connect(const std::stop_token& stop);
  Status Start(const std::stop_token& stop);
  Status Commit(const std::stop_token& stop);
  Status Finish(const std::stop_token& stop);
  Status NoteStored();
  Status SendPending(const std::stop_token& stop);
  Result<bool> TryPending();
  Status PrepareAgain(const std::vector<PreparedBatch>& refused);
  Status WriteDown();
  void RefreshIfDue();
  bool Pause(const std::stop_token& stop, std::uint64_t ms) const;
  void Trouble(const Status& why);
  void Tell(const std::string& text) const;
  static Tailer::Times Now();

  const FlowConfig config_;
  const ClientOptions client_;
  const FlowStateFile file_;
  Tailer tailer_;
  Chunk chunk_;
  std::unique_ptr<ResumableProducer> producer_;
  std::vector<PreparedBatch> pending_;  // written down, and not known to be stored
  bool stored_since_written_ = false;   // what is written down as pending is stored
  std::uint64_t retry_ms_ = 0;          // the next pause
  std::int64_t refreshed_ms_ = 0;
  std::string told_;  // the last trouble
  std::atomic<std::uint64_t> records_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<std::uint64_t> left_out_ = 0;
  std::atomic<std::uint64_t> cut_ = 0;
};

}  // namespace sluice::tools
