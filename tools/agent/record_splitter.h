// Where records end in the bytes of a file: at each newline, or in front of each line that a pattern matches.
//
// Threads: constant once made, any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/status.h"

namespace re2 {
class RE2;
}

namespace sluice::tools {

class RecordSplitter {
 public:
  /// `start_pattern` (multiLineStartPattern) matches the beginning of a record's first line; empty: a line a record.
  /// kInvalidArgument for what is no pattern.
  static Result<RecordSplitter> New(std::string_view start_pattern);
  RecordSplitter(RecordSplitter&&) noexcept;
  RecordSplitter& operator=(RecordSplitter&&) noexcept;
  ~RecordSplitter();

  /// Bytes of the record that `text` begins with, its newline included; nullopt where it is not complete. Several lines
  /// are complete when the next record begins behind them, or with `no_more`, when nothing has come for long enough.
  std::optional<std::size_t> RecordEnd(std::string_view text, bool no_more) const;
  bool multi_line() const { return pattern_ != nullptr; }

 private:
  explicit RecordSplitter(std::unique_ptr<const re2::RE2> pattern);
  std::unique_ptr<const re2::RE2> pattern_;  // null: a line a record
};

}  // namespace sluice::tools
