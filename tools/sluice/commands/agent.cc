// sluice agent --config FILE --state DIR
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/env/posix_env.h"
#include "tools/agent/agent_config.h"
#include "tools/agent/flow.h"
#include "tools/sluice/commands/commands.h"
#include "tools/sluice/interrupt.h"
#include "tools/sluice/units.h"

namespace sluice::tools {

namespace {

struct AgentArguments {
  std::string config;
  std::string config_directory;
  std::string state;
  bool check = false;
};

/// Flows on a thread each, until one cannot go on or a signal comes.
class Flows {
 public:
  Flows(const AgentConfig& config, const std::string& state, const ClientOptions& client) {
    for (const FlowConfig& flow : config.flows) flows_.push_back(std::make_unique<Flow>(flow, config, state, client));
  }

  Status Run() {
    std::vector<std::jthread> threads;
    for (const auto& flow : flows_) {
      threads.emplace_back([this, &flow](const std::stop_token& stop) { End(flow->Run(stop)); });
    }
    std::unique_lock lock(mutex_);
    // A signal handler cannot wake anybody: the flag is looked at.
    while (!Interrupted() && failure_.ok()) changed_.wait_for(lock, std::chrono::milliseconds(50));
    lock.unlock();
    for (std::jthread& thread : threads) thread.request_stop();
    threads.clear();
    return failure_;
  }

  const std::vector<std::unique_ptr<Flow>>& all() const { return flows_; }

 private:
  void End(const Status& why) {
    const std::lock_guard lock(mutex_);
    if (failure_.ok()) failure_ = why;
    changed_.notify_all();
  }

  std::vector<std::unique_ptr<Flow>> flows_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Status failure_;  // guarded by mutex_
};

void PrintSummary(const Context& context, const Flow& flow) {
  const FlowStats stats = flow.stats();
  if (context.json) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"files", flow.config().file_pattern},
                                                                  {"stream", flow.config().destination()},
                                                                  {"records", stats.records},
                                                                  {"bytes", stats.bytes},
                                                                  {"left_out", stats.left_out},
                                                                  {"cut", stats.cut}}));
    return;
  }
  fmt::print("{}: {} ({})", flow.name(), FormatCounted(stats.records, "record"), FormatSize(stats.bytes));
  if (stats.left_out > 0) fmt::print(", {} left out", FormatCount(stats.left_out));
  if (stats.cut > 0) fmt::print(", {} cut", FormatCount(stats.cut));
  fmt::print("\n");
}

bool CheckOnly(const Context& context, const AgentConfig& config) {
  for (const FlowConfig& flow : config.flows) {
    if (context.json) {
      fmt::print("{}\n", boost::json::serialize(
                             boost::json::object{{"files", flow.file_pattern}, {"stream", flow.destination()}}));
    } else {
      fmt::print("{} into {}\n", flow.file_pattern, flow.destination());
    }
  }
  return true;
}

bool RunAgent(Context& context, const AgentArguments& arguments) {
  const auto config = ReadAgentConfig(arguments.config, arguments.config_directory);
  if (!config && config.error().code() == Code::kInvalidArgument) return context.FailUsage(config.error().message());
  if (!config) return context.Fail(config.error());
  for (const std::string& warning : config->warnings) fmt::print(stderr, "warning: {}\n", warning);
  if (arguments.check) return CheckOnly(context, *config);
  if (arguments.state.empty()) return context.FailUsage("'sluice agent' needs --state: where it writes how far it is");
  storage::RaiseFileLimit();  // each file that is tailed is open
  const auto lock = StateLock::Take(arguments.state);
  if (!lock) return context.Fail(lock.error());
  ClientOptions client = context.client_options();
  client.client_name = "sluice-agent";
  client.request_timeout = std::chrono::milliseconds(config->shutdown_timeout_ms);
  client.connect_timeout = std::min(client.connect_timeout, client.request_timeout);
  NoteInterrupts();
  Flows flows(*config, arguments.state, client);
  const Status ended = flows.Run();
  for (const auto& flow : flows.all()) PrintSummary(context, *flow);
  return ended.ok() || context.Fail(ended);
}

}  // namespace

void RegisterAgentCommand(CLI::App& app, Context& context) {
  CLI::App* agent =
      app.add_subcommand("agent", "Tail files into streams, with the configuration of the Amazon Kinesis Agent");
  auto arguments = std::make_shared<AgentArguments>();
  agent->add_option("--config", arguments->config, "The agent.json of the Kinesis Agent")
      ->type_name("FILE")
      ->required();
  agent->add_option("--config-dir", arguments->config_directory, "Flows of all *.json in this directory as well")
      ->type_name("DIR");
  agent->add_option("--state", arguments->state, "Where it writes how far it is; on a disk, of this agent alone")
      ->type_name("DIR");
  agent->add_flag("--check", arguments->check, "Read the configuration, say what is wrong or not used, and end");
  agent->footer(
      "Example:\n"
      "  sluice agent --config /etc/aws-kinesis/agent.json --config-dir /etc/aws-kinesis/agent.d \\\n"
      "               --state /var/lib/sluice-agent");
  agent->callback([=, &context] { RunAgent(context, *arguments); });
}

}  // namespace sluice::tools
