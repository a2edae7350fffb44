// jq programs that are more than plain paths: libjq in a confined process of its own, which is killed where it takes
// too long or too much memory (tools/jq/sluice_jq.cc).
//
// One thread at a time. Memory: one line of records and its answer. The process is started with the first records.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/delivery/processing/child_process.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// What the program gave for one record.
struct JqAnswer {
  std::string error;                                        // why there are no keys; empty: there are
  std::vector<std::pair<std::string, std::string>> keys{};  // null is an empty value
};

class JqWorker {
 public:
  /// `path` is sluice-jq's; `stop` gives true where nobody waits any more, and outlives the worker.
  JqWorker(std::string path, std::string program, std::function<bool()> stop);
  JqWorker(const JqWorker&) = delete;
  JqWorker& operator=(const JqWorker&) = delete;

  /// The answers by the order of the records, which are JSON without line breaks. kUnavailable: the process cannot be
  /// run, or `stop` gave true; nothing is said about the records then.
  Result<std::vector<JqAnswer>> Read(std::span<const std::string> records);

  /// kInvalidArgument, with jq's words, where the program does not compile.
  Status Check();

 private:
  Result<std::string> Exchange(std::string_view line);
  Result<std::vector<JqAnswer>> ReadTogether(std::span<const std::string> records);

  const std::function<bool()> stop_;
  std::string said_;          // on its standard error, by the process that runs or was the last
  RestartedProcess process_;  // last: says its last lines when it goes
};

/// Where sluice-jq is: as the settings say, else beside the broker's own program, or in ../lib/sluice from there.
std::string JqProgramPath(const std::string& setting);

}  // namespace sluice::delivery
