// dataProcessingOptions of the Kinesis Agent: what becomes of a record between the file and the stream.
//
// A record comes with the newline at its end and leaves with one. Threads: constant once made, any thread.
#pragma once

#include <boost/json/array.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"

namespace sluice::tools {

/// One option.
class RecordConverter {
 public:
  virtual ~RecordConverter() = default;
  /// nullopt: the record is not in the format that it should have, and is left out.
  virtual std::optional<std::string> Convert(std::string_view record) const = 0;
};

class ProcessingChain {
 public:
  /// kInvalidArgument names the place, which begins with `where` ("agent.json: flows[0]"). What is not done here is
  /// said in `warnings`.
  static Result<std::shared_ptr<const ProcessingChain>> Parse(const boost::json::array& options, std::string_view where,
                                                              std::vector<std::string>& warnings);
  /// The options one after another.
  std::optional<std::string> Convert(std::string record) const;

 private:
  std::vector<std::unique_ptr<RecordConverter>> converters_;
};

}  // namespace sluice::tools
