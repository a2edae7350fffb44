// Waiting for SIGTERM, SIGINT or SIGHUP (unless the caller ignores that, as nohup), and the signals that must not end a
// broker. Threads: one at a time in the process.
#pragma once

namespace sluice::broker {

/// From now on a write that cannot be done fails, instead of ending the process: into a pipe that nobody reads any more
/// (SIGPIPE: the log goes where the caller says), beyond the limit on the size of files (SIGXFSZ).
void IgnoreWriteSignals();

/// From its making to its end, the first of them ends Wait, and a second one ends the process at once with
/// `second_signal_exit_code`.
class StopSignals {
 public:
  explicit StopSignals(int second_signal_exit_code);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The signal's number.
  int Wait();
};

}  // namespace sluice::broker
