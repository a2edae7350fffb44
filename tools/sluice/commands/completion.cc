// sluice completion bash|zsh: a completion script made from the command tree itself.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tools/sluice/commands/commands.h"
#include "tools/sluice/options.h"

namespace sluice::tools {

namespace {

std::string WordsOf(const CLI::App& command) {
  std::string words;
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    words.append(sub->get_name()).push_back(' ');
  }
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) words.append("--").append(name).push_back(' ');
  }
  return words;
}

/// One case branch per command: "stream create") words="..." ;;
void AppendBranches(const CLI::App& command, const std::string& path, std::string& out) {
  out.append(fmt::format("      \"{}\") words=\"{}\" ;;\n", path, WordsOf(command)));
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    AppendBranches(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), out);
  }
}

void Print(const CLI::App& root, const std::string& shell) {
  std::string branches;
  AppendBranches(root, "", branches);
  if (shell == "zsh") fmt::print("autoload -U +X bashcompinit && bashcompinit\n");
  fmt::print(
      "_sluice() {{\n"
      "  local path=\"\" words=\"\" i\n"
      "  for ((i = 1; i < COMP_CWORD && i < 3; i++)); do\n"
      "    case \"${{COMP_WORDS[i]}}\" in -*) break ;; *) path=\"${{path:+$path }}${{COMP_WORDS[i]}}\" ;; esac\n"
      "  done\n"
      "  while :; do\n"
      "    case \"$path\" in\n{}"
      "    esac\n"
      "    [ -n \"$words\" ] && break; case \"$path\" in *\" \"*) path=\"${{path% *}}\" ;; *) break ;; esac\n"
      "  done\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"${{COMP_WORDS[COMP_CWORD]}}\"))\n"
      "  [ ${{#COMPREPLY[@]}} -gt 0 ] || COMPREPLY=($(compgen -f -- \"${{COMP_WORDS[COMP_CWORD]}}\"))\n"
      "}}\n"
      "complete -F _sluice sluice\n",
      branches);
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
