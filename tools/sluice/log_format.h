// The log formats that the Kinesis Agent's LOGTOJSON option knows, with its field names (Amazon Kinesis Agent
// documentation, "Use the agent to pre-process data"). Values only; thread-safe.
#pragma once

#include <string_view>
#include <vector>

namespace sluice::tools {

struct LogFormat {
  std::string_view name;
  std::string_view pattern;              // RE2, of a whole line
  std::vector<std::string_view> fields;  // one for each of its groups
};

const std::vector<LogFormat>& LogFormats();

}  // namespace sluice::tools
