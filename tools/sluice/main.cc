// The `sluice` command line: parses arguments, runs one command, ends with a code that means something (context.h).
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <system_error>
#include <vector>

#include "broker/delivery/object_store.h"
#include "tools/sluice/commands/commands.h"
#include "tools/sluice/context.h"
#include "tools/sluice/help.h"
#include "tools/sluice/options.h"
#include "tools/sluice/terminal.h"
#include "tools/sluice/version.h"

namespace sluice::tools {

void RegisterAllCommands(CLI::App& app, Context& context) {
  RegisterServeCommand(app, context);
  RegisterStreamCommands(app, context);
  RegisterPutCommand(app, context);
  RegisterGenerateCommand(app, context);
  RegisterAgentCommand(app, context);
  RegisterGetCommands(app, context);
  RegisterGroupCommands(app, context);
  RegisterDeliveryCommands(app, context);
  RegisterLakeCommands(app, context);
  RegisterKeyCommands(app, context);
  RegisterLogCommands(app, context);
  RegisterVerifyCommand(app, context);
  RegisterBenchCommand(app, context);
  RegisterCompletionCommand(app, context);
}

namespace {

constexpr std::size_t kColumnsMax = 110;

void PrintHelp(const CLI::App& app) {
  const std::size_t columns = std::min(TerminalColumns(STDOUT_FILENO, kColumnsMax), kColumnsMax);
  fmt::print("{}", HelpText(DeepestParsed(app), columns));
}

int UsageError(const CLI::App& app, const CLI::ParseError& error) {
  fmt::print(stderr, "sluice: {}\nRun '{} --help' for help.\n", ExplainParseError(app, error),
             CommandPath(DeepestParsed(app)));
  return kExitUsage;
}

/// The words after the program's name, last first as CLI11 takes them; "help stream list" is read as "stream list
/// --help".
std::vector<std::string> WordsOf(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  std::ranges::reverse(words);
  return words;
}

/// What was printed must have arrived: a full disk behind `sluice get > file` is a failure. A reader that has left is
/// none; SIGPIPE ends the process, and `get`, which waits for records, looks for itself.
int CloseOutput(int exit_code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  fmt::print(stderr, "sluice: the output could not be written as a whole: {}\n", std::strerror(errno));
  return exit_code == kExitOk ? kExitFailed : exit_code;
}

int Main(int argc, char** argv) {
  Context context;
  CLI::App app("Sluice: a streaming ingestion broker. Records in, durable shards, Parquet in the lake, exactly once.",
               "sluice");
  app.set_version_flag("--version", std::string("sluice ") + kVersion, "Print the version and end");
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--broker", context.broker, "Where the broker's native port is")
      ->envname("SLUICE_BROKER")
      ->check(HostAndPort())
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app.add_flag("--json", context.json, "Print JSON");
  RegisterAllCommands(app, context);
  // Now, as commands made later would take it on.
  app.footer(
      "Examples:\n"
      "  sluice serve --data ./data --lake ./lake\n"
      "  sluice stream create orders --shards 4\n"
      "  sluice put orders orders.ndjson --key-field customer.id\n"
      "  sluice get orders --limit 10\n\n"
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 no broker answers, 5 data damaged or missing,\n"
      "130 interrupted");
  try {
    app.parse(WordsOf(argc, argv));
  } catch (const CLI::CallForHelp&) {
    PrintHelp(app);
    return CloseOutput(kExitOk);
  } catch (const CLI::Success& version) {
    return app.exit(version);
  } catch (const CLI::ParseError& error) {
    return UsageError(app, error);
  } catch (const std::system_error& error) {  // fmt::print, where more is printed than stdout's buffer takes
    fmt::print(stderr, "sluice: {}\n", error.what());
    return kExitFailed;
  }
  return CloseOutput(context.exit_code);
}

}  // namespace
}  // namespace sluice::tools

int main(int argc, char** argv) {
  const int exit_code = sluice::tools::Main(argc, argv);
  sluice::delivery::EndRemoteStores();
  return exit_code;
}
