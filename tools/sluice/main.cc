// The `sluice` command line: parses arguments, runs one command, ends with a code that means something (context.h).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "protocol/suggest.h"
#include "tools/sluice/commands/commands.h"
#include "tools/sluice/context.h"
#include "tools/sluice/version.h"

namespace sluice::tools {

void RegisterAllCommands(CLI::App& app, Context& context) {
  RegisterServeCommand(app, context);
  RegisterStreamCommands(app, context);
  RegisterPutCommand(app, context);
  RegisterGetCommands(app, context);
  RegisterDeliveryCommands(app, context);
  RegisterLakeCommands(app, context);
  RegisterLogCommands(app, context);
  RegisterVerifyCommand(app, context);
  RegisterBenchCommand(app, context);
  RegisterCompletionCommand(app, context);
}

namespace {

/// The deepest command that was named, where the mistake was made.
const CLI::App& DeepestParsed(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : DeepestParsed(*parsed.back());
}

int UsageError(const CLI::App& app, const CLI::ParseError& error, const std::vector<std::string>& words) {
  const CLI::App& command = DeepestParsed(app);
  std::vector<std::string> known;
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; }))
    known.push_back(sub->get_name());
  std::string hint;
  for (const std::string& word : words) {
    if (word.starts_with('-') || !hint.empty()) continue;
    const bool is_command = std::ranges::find(known, word) != known.end();
    if (!is_command && !known.empty()) hint = protocol::DidYouMean(word, known);
  }
  fmt::print(stderr, "sluice: {}{}\nRun 'sluice {}{}--help' for help.\n", error.what(), hint,
             command.get_parent() != nullptr ? command.get_name() : "", command.get_parent() != nullptr ? " " : "");
  return kExitUsage;
}

int Main(int argc, char** argv) {
  Context context;
  CLI::App app("Sluice: a streaming ingestion broker. Records in, durable shards, Parquet in the lake, exactly once.",
               "sluice");
  app.set_version_flag("--version", std::string("sluice ") + kVersion);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--broker", context.broker, "Where the broker's native port is")
      ->envname("SLUICE_BROKER")
      ->capture_default_str();
  app.add_flag("--json", context.json, "Print JSON");
  app.footer(
      "Examples:\n"
      "  sluice serve --data ./data --lake ./lake\n"
      "  sluice stream create orders --shards 4\n"
      "  sluice put orders orders.ndjson --key-field customer.id\n"
      "  sluice get orders --limit 10\n\n"
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 no broker answers, 5 data damaged or missing");
  RegisterAllCommands(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return UsageError(app, error, std::vector<std::string>(argv + 1, argv + argc));
  }
  return context.exit_code;
}

}  // namespace
}  // namespace sluice::tools

int main(int argc, char** argv) { return sluice::tools::Main(argc, argv); }
