// One registration function per command file. A new command is one file, one line here and one in commands.cc.
#pragma once

#include "tools/sluice/context.h"

namespace sluice::tools {

void RegisterAgentCommand(CLI::App& app, Context& context);
void RegisterServeCommand(CLI::App& app, Context& context);
void RegisterStreamCommands(CLI::App& app, Context& context);
void RegisterPutCommand(CLI::App& app, Context& context);
void RegisterGenerateCommand(CLI::App& app, Context& context);
void RegisterGetCommands(CLI::App& app, Context& context);
void RegisterGroupCommands(CLI::App& app, Context& context);
void RegisterDeliveryCommands(CLI::App& app, Context& context);
/// Those of `sluice delivery` that are about error records.
void AddDeliveryErrorCommands(CLI::App& delivery, Context& context);
void RegisterLakeCommands(CLI::App& app, Context& context);
void RegisterKeyCommands(CLI::App& app, Context& context);
void RegisterLogCommands(CLI::App& app, Context& context);
void RegisterBenchCommand(CLI::App& app, Context& context);
void RegisterCompletionCommand(CLI::App& app, Context& context);
void RegisterVerifyCommand(CLI::App& app, Context& context);

}  // namespace sluice::tools
