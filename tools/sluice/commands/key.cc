// sluice key new FILE: master keys of encrypted streams, without a broker.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>
#include <string>

#include "broker/encryption/key_file.h"
#include "storage/env/posix_env.h"
#include "tools/sluice/commands/commands.h"

namespace sluice::tools {

namespace {

bool New(Context& context, const std::string& file) {
  const auto env = storage::NewPosixEnv();
  const auto name = broker::AddKey(*env, file);
  if (!name) return context.Fail(name.error());
  if (context.json) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"file", file}, {"key", *name}}));
  } else {
    fmt::print("{} is the current key of {} from the broker's next start on. Keep a copy of the file.\n", *name, file);
  }
  return true;
}

}  // namespace

void RegisterKeyCommands(CLI::App& app, Context& context) {
  CLI::App* key = app.add_subcommand("key", "Make master keys of encrypted streams");
  key->require_subcommand(1);
  CLI::App* made = key->add_subcommand("new", "Add a master key to a key file, which becomes the current one");
  auto file = std::make_shared<std::string>();
  made->add_option("FILE", *file, "The file of encryption.key_file; made where there is none")->required();
  made->footer("Example:\n  sluice key new /etc/sluice/master.keys");
  made->callback([=, &context] { New(context, *file); });
}

}  // namespace sluice::tools
