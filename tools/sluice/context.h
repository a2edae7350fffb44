// What every command of `sluice` shares: global options, exit codes, and how errors and results are printed.
//
// Threads: the main thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sluice/admin.h"
#include "sluice/status.h"
#include "sluice/types.h"

namespace CLI {
class App;
}

namespace sluice::tools {

/// What the process ends with; docs/cli.md lists them.
enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,         // the operation failed; stderr says why
  kExitUsage = 2,          // the command line is wrong
  kExitNotFound = 3,       // the named stream, file or delivery stream does not exist
  kExitUnavailable = 4,    // no broker answers
  kExitDamaged = 5,        // data is damaged, missing or doubled (verify, log dump)
  kExitInterrupted = 130,  // Ctrl-C came before the end
};

struct Context {
  std::string broker = "127.0.0.1:7420";
  bool json = false;
  int exit_code = kExitOk;  // set by the command that ran

  ClientOptions client_options() const;
  /// Connects to the broker; on failure prints why, sets exit_code and gives nullptr.
  std::unique_ptr<AdminClient> Connect();
  /// Prints "sluice: ..." to stderr and sets exit_code from the status. Always false, for `return ctx.Fail(status)`.
  bool Fail(const Status& status);
  /// The same for what begins with a connection: where there is none, it also says how to get a broker.
  bool FailToConnect(const Status& status);
  bool FailUsage(std::string_view message);
};

void RegisterAllCommands(CLI::App& app, Context& context);

}  // namespace sluice::tools
