// Turns input text into records: raw lines, CSV with a header, and the log formats that the Kinesis Agent knows.
//
// Parsed formats give one JSON object per line of input. Threads: one thread per parser.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"

namespace sluice::tools {

class RecordParser {
 public:
  virtual ~RecordParser() = default;
  /// One record from one logical line (see LogicalLineEnd); nullopt where the line carries none (a CSV header, a blank
  /// line). kInvalidArgument says what is wrong with the line.
  virtual Result<std::optional<std::string>> Parse(std::string_view line) = 0;
  /// Where the logical line that starts at `text` ends (its newline), npos where it is not complete: CSV fields may
  /// hold newlines.
  virtual std::size_t LogicalLineEnd(std::string_view text) const { return text.find('\n'); }
  /// A new file begins: a CSV header is expected again.
  virtual void StartFile() {}
};

/// "raw", "csv", "COMMONAPACHELOG", "COMBINEDAPACHELOG", "APACHEERRORLOG", "SYSLOG", "RFC3339SYSLOG" (case does not
/// matter).
Result<std::unique_ptr<RecordParser>> NewRecordParser(std::string_view format);
std::vector<std::string> RecordParserNames();

/// The text of the field `path` ("a.b") of a JSON object; kInvalidArgument where there is none.
class KeyExtractor {
 public:
  explicit KeyExtractor(std::string_view path);
  ~KeyExtractor();
  Result<std::string> Extract(std::string_view json);

 private:
  std::optional<std::string> ExtractText(std::string_view json) const;

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::tools
