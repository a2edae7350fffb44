// Waiting for SIGTERM, SIGINT or SIGHUP (unless the caller ignores that, as nohup). Threads: one at a time in the
// process.
#pragma once

namespace sluice::broker {

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
