// sluice completion bash|zsh: a completion script made from the command tree itself.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/sluice/commands/commands.h"
#include "tools/sluice/options.h"

namespace sluice::tools {

namespace {

std::string WordsOf(const CLI::App& root, const CLI::App& command) {
  std::string words;
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    words.append(sub->get_name()).push_back(' ');
  }
  for (const CLI::App* app : {&command, &root}) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        if (words.find("--" + name + " ") == std::string::npos) words.append("--").append(name).push_back(' ');
      }
    }
  }
  return words;
}

/// One case branch per command: "stream set") known="..." names="stream" ;;
void AppendBranches(const CLI::App& root, const CLI::App& command, const std::string& path, std::string& out) {
  const std::string words = WordsOf(root, command);
  out.append(fmt::format("    \"{}\") known=\"{}\" names=\"{}\" ;;\n", path, words, NamesGroupOf(command)));
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    AppendBranches(root, *sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), out);
  }
}

/// Sets `known` to what may stand for its first argument, behind the others: the finished words after "sluice". Options
/// only where one was begun, so that file names are offered elsewhere; names of streams, which the broker is asked for,
/// right behind a command that takes one.
constexpr std::string_view kLookUp =
    "_sluice_known() {{\n"
    "  local place=\"\" depth=0 begun=\"$1\" names=\"\" broker=\"\"\n"
    "  known=\"\"\n"
    "  shift\n"
    "  while [ $# -gt 0 ] && [ $depth -lt 2 ]; do\n"
    "    case \"$1\" in\n"
    "      --broker) shift; broker=\"$1\" ;;\n"
    "      -*) ;;\n"
    "      *) place=\"${{place:+$place }}$1\"; depth=$((depth + 1)) ;;\n"
    "    esac\n"
    "    [ $# -eq 0 ] || shift\n"
    "  done\n"
    "  [ $# -eq 0 ] || place=\"$place -\"\n"
    "  while :; do\n"
    "    case \"$place\" in\n{}"
    "    esac\n"
    "    [ -z \"$known\" ] || break\n"
    "    case \"$place\" in *\" \"*) place=\"${{place% *}}\" depth=0 ;; *) break ;; esac\n"
    "  done\n"
    "  case \"$begun\" in -*) return ;; esac\n"
    "  known=\"${{known%%--*}}\"\n"
    "  [ -n \"$names\" ] && [ $depth -gt 0 ] || return\n"
    "  known=\"$([ -z \"$broker\" ] || export SLUICE_BROKER=\"$broker\"; sluice \"$names\" list 2>/dev/null)\"\n"
    "  known=\"$(echo \"$known\" | sed '1d; s/ .*//')\"\n"
    "}}\n";

constexpr std::string_view kBash =
    "_sluice() {\n"
    "  local known word=\"${COMP_WORDS[COMP_CWORD]}\"\n"
    "  _sluice_known \"$word\" \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"\n"
    "  COMPREPLY=($(compgen -W \"$known\" -- \"$word\"))\n"
    "  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\"))\n"
    "}\n"
    "complete -F _sluice sluice\n";

// Works where it is sourced, and as a file named _sluice in $fpath, where the first call is the file itself.
constexpr std::string_view kZsh =
    "_sluice() {\n"
    "  local known\n"
    "  _sluice_known \"$PREFIX\" \"${(@)words[2,CURRENT-1]}\"\n"
    "  compadd -- ${=known} || _files\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _sluice ]; then _sluice; else compdef _sluice sluice; fi\n";

void Print(const CLI::App& root, const std::string& shell) {
  std::string branches;
  AppendBranches(root, root, "", branches);
  const bool zsh = shell == "zsh";
  if (zsh) fmt::print("#compdef sluice\n");
  fmt::print(kLookUp, branches);
  fmt::print("{}", zsh ? kZsh : kBash);
}

}  // namespace

void RegisterCompletionCommand(CLI::App& app, Context&) {
  CLI::App* completion = app.add_subcommand("completion", "Print a completion script for your shell");
  auto shell = std::make_shared<std::string>();
  completion->add_option("SHELL", *shell, "bash or zsh")->required()->transform(OneOf({"bash", "zsh"}));
  completion->footer("Example:\n  sluice completion bash > /etc/bash_completion.d/sluice");
  completion->callback([=, &app] { Print(app, *shell); });
}

}  // namespace sluice::tools
