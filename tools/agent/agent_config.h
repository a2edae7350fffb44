// The configuration of the Kinesis Agent (agent.json, agent.d/*.json), read as it is.
//
// Keys that mean something only to AWS or to the agent's own inside are taken with one warning each; docs/agent.md has
// all of them. Values only, but for reading the files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"
#include "tools/agent/processing.h"
#include "tools/agent/record_splitter.h"

namespace sluice::tools {

/// Records beyond this are cut, as the Kinesis Agent does; a delivery stream takes less.
inline constexpr std::uint64_t kAgentRecordBytesMax = 1u << 20;
inline constexpr std::uint64_t kAgentFirehoseRecordBytesMax = 1000u << 10;

struct FlowConfig {
  std::string file_pattern;  // DIRECTORY/GLOB
  std::string stream;        // kinesisStream
  std::string delivery;      // deliveryStream; one of the two is set
  bool deterministic_keys = false;
  bool from_start = false;  // initialPosition START_OF_FILE
  std::uint64_t buffer_age_ms = 0;
  std::uint64_t buffer_bytes = 0;
  std::uint64_t buffer_records = 0;
  std::uint64_t poll_ms = 0;
  std::uint64_t refresh_ms = 0;
  std::uint64_t retry_min_ms = 0;
  std::uint64_t retry_max_ms = 0;
  std::uint64_t skip_header_lines = 0;
  std::uint64_t aggregated_bytes = 0;  // 0: a record each
  std::string terminator;              // of records that were cut
  std::shared_ptr<const RecordSplitter> splitter;
  std::shared_ptr<const ProcessingChain> processing;

  /// The stream that is written to: a delivery stream's own is "delivery:NAME".
  std::string destination() const { return delivery.empty() ? stream : "delivery:" + delivery; }
  std::uint64_t record_bytes_max() const {
    return delivery.empty() ? kAgentRecordBytesMax : kAgentFirehoseRecordBytesMax;
  }
};

struct AgentConfig {
  std::vector<FlowConfig> flows;
  std::uint64_t checkpoint_days = 7;
  std::uint64_t shutdown_timeout_ms = 10'000;
  std::vector<std::string> warnings;
};

/// kInvalidArgument names file and place, `name` in front.
Result<AgentConfig> ParseAgentConfig(std::string_view text, std::string_view name);
/// `file`, and the flows of all *.json of `directory` (empty: none) behind its own. kNotFound where a file cannot be
/// read.
Result<AgentConfig> ReadAgentConfig(const std::string& file, const std::string& directory);

/// All keys that are known, with dots, those of flows as "flows[].KEY"; for the test of docs/agent.md.
std::vector<std::string> AgentConfigKeys();

}  // namespace sluice::tools
