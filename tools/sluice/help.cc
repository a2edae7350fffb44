// Help texts in two columns, and the words for parse errors.
#include "tools/sluice/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "protocol/suggest.h"

namespace sluice::tools {

namespace {

constexpr std::size_t kLeftColumn = 26;
constexpr std::size_t kTextColumnsMin = 30;

std::vector<const CLI::App*> SubcommandsOf(const CLI::App& command) {
  return command.get_subcommands([](const CLI::App*) { return true; });
}

bool IsFlag(const CLI::Option& option) { return option.get_type_size() == 0 || option.get_expected_max() == 0; }

bool TakesMany(const CLI::Option& option) { return option.get_expected_max() >= CLI::detail::expected_max_vector_size; }

/// Breaks `text` into lines of at most `width`, at blanks.
std::vector<std::string> Wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  while (text.size() > width) {
    std::size_t end = text.rfind(' ', width);
    if (end == std::string_view::npos || end == 0) end = std::min(text.find(' ', width), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!text.empty() || lines.empty()) lines.emplace_back(text);
  return lines;
}

void AppendRow(std::string_view left, std::string_view right, std::size_t columns, std::string& out) {
  const std::size_t margin = kLeftColumn + 2;
  const auto lines = Wrapped(right, std::max(columns, margin + kTextColumnsMin) - margin);
  if (left.size() >= kLeftColumn) {
    out += fmt::format("  {}\n", left);
    left = "";
  }
  for (const std::string& line : lines) {
    out += fmt::format("  {:<{}}{}\n", left, kLeftColumn, line);
    left = "";
  }
}

std::string OptionNames(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : option.get_snames()) names.append(names.empty() ? "-" : ", -").append(name);
  for (const std::string& name : option.get_lnames()) names.append(names.empty() ? "--" : ", --").append(name);
  if (!IsFlag(option)) names.append(" ").append(option.get_type_name());
  return names;
}

std::string OptionText(const CLI::Option& option) {
  std::string text = option.get_description();
  std::vector<std::string> remarks;
  if (option.get_required()) remarks.emplace_back("required");
  if (!option.get_default_str().empty()) remarks.push_back("default " + option.get_default_str());
  if (!option.get_envname().empty()) remarks.push_back("environment " + option.get_envname());
  if (TakesMany(option)) remarks.emplace_back("may be repeated");
  if (!remarks.empty()) text += fmt::format(" ({})", fmt::join(remarks, ", "));
  return text;
}

/// The named options of a command except those of every command.
std::vector<const CLI::Option*> OptionsOf(const CLI::App& command) {
  return command.get_options(
      [&](const CLI::Option* option) { return option->nonpositional() && option != command.get_help_ptr(); });
}

std::string PositionalUsage(const CLI::Option& option) {
  const std::string name = option.get_name(true) + (TakesMany(option) ? ".." : "");
  return option.get_required() ? " " + name : " [" + name + "]";
}

std::string UsageLine(const CLI::App& command) {
  std::string usage = "Usage: " + CommandPath(command);
  for (const CLI::Option* option : OptionsOf(command)) {
    if (!option->get_required()) continue;
    const std::string name =
        option->get_snames().empty() ? "--" + option->get_lnames().front() : "-" + option->get_snames().front();
    usage += " " + name + " " + option->get_type_name();
  }
  usage += " [OPTION..]";
  if (!SubcommandsOf(command).empty()) usage += " COMMAND ..";
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) usage += PositionalUsage(*option);
  }
  return usage;
}

std::vector<std::string> OptionNamesInReach(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

/// The first word nobody knows what to do with.
std::string ExplainExtras(const CLI::App& root, const CLI::App& command) {
  const std::vector<std::string> left = root.remaining(true);
  const auto option = std::ranges::find_if(left, [](const std::string& word) { return word.starts_with('-'); });
  if (option != left.end()) {
    const std::string name = option->substr(0, option->find('='));
    return fmt::format("'{}' has no option '{}'{}", CommandPath(command), name,
                       protocol::DidYouMean(name, OptionNamesInReach(command)));
  }
  return fmt::format("'{}' takes no argument '{}'", CommandPath(command), left.empty() ? "" : left.front());
}

std::string ExplainMissingCommand(const CLI::App& root, const CLI::App& command) {
  std::vector<std::string> known;
  for (const CLI::App* sub : SubcommandsOf(command)) known.push_back(sub->get_name());
  const std::vector<std::string> left = root.remaining(true);
  const auto word = std::ranges::find_if(left, [](const std::string& text) { return !text.starts_with('-'); });
  if (word == left.end()) {
    if (!left.empty()) return ExplainExtras(root, command);
    return fmt::format("'{}' wants a command: {}", CommandPath(command), fmt::join(known, ", "));
  }
  return fmt::format("there is no command '{} {}'{}", CommandPath(command), *word, protocol::DidYouMean(*word, known));
}

}  // namespace

std::string CommandPath(const CLI::App& command) {
  if (command.get_parent() == nullptr) return command.get_name();
  return CommandPath(*command.get_parent()) + " " + command.get_name();
}

const CLI::App& DeepestParsed(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : DeepestParsed(*parsed.back());
}

std::string HelpText(const CLI::App& command, std::size_t columns) {
  std::string out;
  for (const std::string& line : Wrapped(command.get_description(), columns)) out += line + "\n";
  out += "\n" + UsageLine(command) + "\n\n";
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) AppendRow(option->get_name(true), option->get_description(), columns, out);
  }
  if (out.back() == '\n' && !out.ends_with("\n\n")) out += "\n";
  const CLI::App* root = &command;
  while (root->get_parent() != nullptr) root = root->get_parent();
  if (const auto subcommands = SubcommandsOf(command); !subcommands.empty()) {
    out += "Commands:\n";
    for (const CLI::App* sub : subcommands) AppendRow(sub->get_name(), sub->get_description(), columns, out);
    out += "\n";
  }
  if (const auto options = OptionsOf(command); root != &command && !options.empty()) {
    out += "Options:\n";
    for (const CLI::Option* option : options) AppendRow(OptionNames(*option), OptionText(*option), columns, out);
    out += "\n";
  }
  out += "Options of every command:\n";
  for (const CLI::Option* option : OptionsOf(*root)) AppendRow(OptionNames(*option), OptionText(*option), columns, out);
  AppendRow("-h, --help", "Print this and end", columns, out);
  if (!command.get_footer().empty()) out += "\n" + command.get_footer() + "\n";
  return out;
}

std::string ExplainParseError(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App& command = DeepestParsed(root);
  const std::string_view what = error.what();
  const std::string subject(what.substr(0, what.find(':')));
  if (!SubcommandsOf(command).empty()) return ExplainMissingCommand(root, command);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) return ExplainExtras(root, command);
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) return subject + " needs one value";
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    const std::string missing(what.substr(0, what.find(' ')));
    const CLI::Option* option = command.get_option_no_throw(missing);
    return fmt::format("'{}' needs {}{}", CommandPath(command), missing,
                       option == nullptr ? "" : ": " + option->get_description());
  }
  if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) {
    const std::size_t between = what.find(' ');
    return fmt::format("{} and {} do not go together", what.substr(0, between), what.substr(what.rfind(' ') + 1));
  }
  return std::string(what);
}

}  // namespace sluice::tools
