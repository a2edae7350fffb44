// What `--help` prints and what is said about a wrong command line, made from the command tree, so that both are the
// same whatever the version of CLI11.
//
// Threads: any, once the tree is complete.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

namespace sluice::tools {

/// The help of one command: usage, arguments, options, commands below it, and its footer; lines are broken at
/// `columns`.
std::string HelpText(const CLI::App& command, std::size_t columns);

/// "sluice stream create"
std::string CommandPath(const CLI::App& command);

/// The deepest command that was named: where a mistake was made, and whose help was asked for.
const CLI::App& DeepestParsed(const CLI::App& app);

/// What is wrong with the command line, and a guess at what was meant where there is a near one.
std::string ExplainParseError(const CLI::App& root, const CLI::ParseError& error);

}  // namespace sluice::tools
