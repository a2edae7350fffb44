// A program that answers lines with lines, for as long as it runs: one line on its standard input, one line on its
// standard output. What it says on its standard error is handed on.
//
// It runs in a process group of its own, with nothing open but these three and without the variables that are the
// broker's settings (SLUICE_..), which hold secrets. The group is killed when the object goes; a broker that is killed
// closes the program's standard input, at which it is to end.
//
// One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"

namespace sluice::delivery {

struct ExchangeBounds {
  std::int64_t timeout_ms = 0;
  std::size_t answer_bytes_max = 0;
};

class ChildProcess {
 public:
  /// Gets lines without their ends.
  using ErrorLines = std::function<void(std::string_view line)>;

  /// `command` is a program's path and its arguments. kUnavailable: it cannot be run.
  static Result<std::unique_ptr<ChildProcess>> Start(const std::vector<std::string>& command, ErrorLines error_lines);
  virtual ~ChildProcess() = default;

  /// False where it has ended, or has said something that it was not asked for: it is of no use any more. Does not
  /// wait.
  virtual bool Ready() = 0;

  /// After a failure the program is in an unknown state: let the object go. kTimedOut: no whole line in time.
  /// kResourceExhausted: a longer line than allowed. kUnavailable: `stop` gives true, or the program says that it
  /// cannot run (exit codes 126 and 127). kFailedPrecondition: it has ended, or has said more than one line.
  virtual Result<std::string> Exchange(std::string_view line, const ExchangeBounds& bounds,
                                       const std::function<bool()>& stop) = 0;
};

/// A program that is kept running from one exchange to the next: started with the first, and again where it has ended
/// or an exchange has failed.
class RestartedProcess {
 public:
  RestartedProcess(std::vector<std::string> command, ChildProcess::ErrorLines error_lines);

  /// False where the next exchange starts the program.
  bool Running();
  /// As ChildProcess' Start and Exchange.
  Result<std::string> Exchange(std::string_view line, const ExchangeBounds& bounds, const std::function<bool()>& stop);

 private:
  const std::vector<std::string> command_;
  const ChildProcess::ErrorLines error_lines_;
  std::unique_ptr<ChildProcess> child_;  // last: says its last lines when it goes
};

}  // namespace sluice::delivery
