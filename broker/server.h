// The broker as one object: the only file that knows every part. `sluice serve` and the tests run it.
//
// Start: data directory checks, admin door, metadata, recovery, doors. Run: until SIGTERM or SIGINT. Stop: doors stop
// accepting, requests in work are answered, the log is flushed and left with its clean mark. A second signal while
// stopping ends the process at once, without the clean mark, which costs nothing but time at the next start.
//
// Threads: all calls by one thread, not an event loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "broker/config.h"
#include "broker/data_dir.h"
#include "sluice/status.h"

namespace sluice::broker {

/// What `sluice serve` exits with.
enum class ExitCode : int {
  kOk = 0,             // stopped by a signal, clean mark left
  kUsage = 2,          // wrong configuration or command line
  kStart = 3,          // could not start: data directory, port, recovery; the message says what to do
  kDirtyStop = 4,      // stopped, but the log could not be closed: the next start recovers
  kSecondSignal = 130  // ended at once by a second signal
};

class Server {
 public:
  /// Returns when the doors are open. The ports are also in DATA/ports.json.
  static Result<std::unique_ptr<Server>> Start(Config config);
  /// Stops where Stop has not been called.
  ~Server();

  Ports ports() const;
  /// Blocks until SIGTERM or SIGINT, then stops. At most one server per process may Run.
  ExitCode Run();
  /// Stops and says whether the clean mark was left. Further calls give the same answer.
  Status Stop();

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::broker
