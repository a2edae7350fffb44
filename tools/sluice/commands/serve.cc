// sluice serve: the broker in the foreground until SIGTERM or SIGINT.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/config.h"
#include "broker/delivery/object_store.h"
#include "broker/server.h"
#include "tools/sluice/commands/commands.h"

namespace sluice::tools {

namespace {

struct ServeArguments {
  std::optional<std::string> config;
  std::optional<std::string> data;
  std::optional<std::string> lake;
  std::vector<std::string> settings;
};

Result<broker::ConfigSources> SourcesOf(const ServeArguments& arguments) {
  broker::ConfigSources sources;
  sources.environment = broker::ProcessEnvironment();
  sources.file = arguments.config;
  if (arguments.data) sources.overrides.emplace_back("server.data_dir", *arguments.data);
  if (arguments.lake) sources.overrides.emplace_back("delivery.lake_dir", *arguments.lake);
  for (const std::string& setting : arguments.settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      return Error(Code::kInvalidArgument, fmt::format("--set wants section.key=value, got '{}'", setting));
    }
    sources.overrides.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return sources;
}

int Serve(const ServeArguments& arguments) {
  const auto fail = [](const Status& status, broker::ExitCode code) {
    std::fputs(fmt::format("sluice: {}\n", status.message()).c_str(), stderr);  // does not throw where nobody reads
    return static_cast<int>(code);
  };
  auto sources = SourcesOf(arguments);
  if (!sources) return fail(sources.error(), broker::ExitCode::kUsage);
  auto config = broker::LoadConfig(*sources);
  if (!config) return fail(config.error(), broker::ExitCode::kUsage);
  delivery::PrepareRemoteStores(config->delivery.stores);
  auto server = broker::Server::Start(std::move(*config));
  if (!server) return fail(server.error(), broker::ExitCode::kStart);
  return static_cast<int>((*server)->Run());
}

}  // namespace

void RegisterServeCommand(CLI::App& app, Context& context) {
  CLI::App* serve = app.add_subcommand("serve", "Run a broker until it is told to stop (SIGTERM, Ctrl-C)");
  auto arguments = std::make_shared<ServeArguments>();
  serve->add_option("--config", arguments->config, "A TOML file; every key has a default")->type_name("FILE");
  serve->add_option("--data", arguments->data, "Directory of the records (server.data_dir)")->type_name("DIR");
  serve
      ->add_option("--lake", arguments->lake,
                   "Where the lake is: a directory, or s3:// and the like (delivery.lake_dir)")
      ->type_name("DIR");
  serve->add_option("--set", arguments->settings, "Any setting")->type_name("SECTION.KEY=VALUE");
  serve->footer(
      "Every setting can also come from the environment: SLUICE_NATIVE__PORT=7421 sets native.port.\n\n"
      "Examples:\n"
      "  sluice serve\n"
      "  sluice serve --data /var/lib/sluice --lake /srv/lake\n"
      "  sluice serve --config /etc/sluice/sluice.toml --set native.port=7421");
  serve->callback([=, &context] { context.exit_code = Serve(*arguments); });
}

}  // namespace sluice::tools
