// sluice bench [WORKLOAD..]: how fast this machine and this broker are, beside what the machine allows.
#include "tools/bench/bench.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tools/sluice/commands/commands.h"
#include "tools/sluice/options.h"

namespace sluice::tools {

namespace {

struct BenchArguments {
  std::vector<std::string> workloads;
  BenchOptions options;
  bool list = false;
  std::string lines;  // where to write those of parquet and gzip, and nothing else; empty: nowhere
};

std::string OwnProgram() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

bool Bench(Context& context, BenchArguments& arguments) {
  if (arguments.list && context.json) {
    boost::json::array all;
    for (const Workload& workload : Workloads())
      all.push_back({{"name", workload.name}, {"rows", workload.rows}, {"description", workload.description}});
    fmt::print("{}\n", boost::json::serialize(all));
    return true;
  }
  if (arguments.list) {
    for (const Workload& workload : Workloads())
      fmt::print("{:<12} rows {:<6} {}\n", workload.name, workload.rows, workload.description);
    return true;
  }
  if (!arguments.lines.empty()) {
    if (Status status = WriteBenchLines(arguments.lines); !status.ok()) return context.Fail(status);
    return true;
  }
  arguments.options.json = context.json;
  if (arguments.options.kinesis_port != 0) {
    if (Status status = RunPeerBench(arguments.options); !status.ok()) return context.Fail(status);
    return true;
  }
  arguments.options.program = OwnProgram();
  std::error_code error;
  std::filesystem::create_directories(arguments.options.dir, error);
  if (error)
    return context.Fail({Code::kIoError, fmt::format("cannot make {}: {}", arguments.options.dir, error.message())});
  auto reached = RunBench(arguments.workloads, arguments.options);
  if (!reached) return context.Fail(reached.error());
  if (!*reached) context.exit_code = kExitFailed;
  return true;
}

}  // namespace

void RegisterBenchCommand(CLI::App& app, Context& context) {
  CLI::App* bench = app.add_subcommand("bench", "Measure this broker on this machine, beside what the machine allows");
  auto arguments = std::make_shared<BenchArguments>();
  arguments->options.dir = "sluice-bench";
  bench->add_option("WORKLOAD", arguments->workloads, "Workloads by name; none: all (see --list)");
  bench->add_flag("--list", arguments->list, "Name the workloads and end");
  bench->add_option("--dir", arguments->options.dir, "Where to write; must be on the disk to measure")
      ->type_name("DIR")
      ->capture_default_str();
  bench->add_option("--seconds", arguments->options.seconds, "Length of one measurement")
      ->capture_default_str()
      ->check(PositiveNumber())
      ->type_name("S");
  bench->add_option("--rounds", arguments->options.rounds, "Ours and the bound in turn, so often; medians are shown")
      ->capture_default_str()
      ->check(WholeNumber(1, 99))
      ->type_name("N");
  bench
      ->add_option("--kinesis-port", arguments->options.kinesis_port,
                   "Put the load of the kinesis- workloads on the server at this port of 127.0.0.1 instead, ours or "
                   "another one, and leave its streams there")
      ->check(WholeNumber(1, 65'535))
      ->excludes("WORKLOAD")
      ->excludes("--dir")
      ->excludes("--list")
      ->type_name("PORT");
  bench
      ->add_option("--write-lines", arguments->lines,
                   "Write the JSON lines of the workloads parquet and gzip into FILE, for others to convert, and end")
      ->excludes("WORKLOAD")
      ->excludes("--kinesis-port")
      ->excludes("--list")
      ->type_name("FILE");
  bench->footer(
      "Starts brokers of its own on free ports and removes what it wrote. RATIO is ours to the bound measured in the "
      "same run;\n"
      "where there is no bound, GOAL and FLOOR are in the figure's own unit. Ends with 1 where a figure is below its "
      "floor.\n\n"
      "Examples:\n"
      "  sluice bench single many\n"
      "  sluice bench --dir /mnt/nvme/bench --json");
  bench->callback([=, &context] { Bench(context, *arguments); });
}

}  // namespace sluice::tools
