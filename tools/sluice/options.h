// Options that check what they are given and say in our own words what would be right, whatever the version of CLI11.
//
// Threads: the main thread, while commands are registered. Targets must live as long as the command tree.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sluice::tools {

/// Whole numbers from `min` to `max`.
CLI::Validator WholeNumber(std::uint64_t min, std::uint64_t max);
/// Numbers above 0, with a fraction or without.
CLI::Validator PositiveNumber();
/// "host:port", as 127.0.0.1:7420 or [::1]:7420.
CLI::Validator HostAndPort();
/// One of `words`, in small or large letters; what is taken on is the word as it stands in `words`.
CLI::Validator OneOf(std::vector<std::string> words);

/// The argument NAME of a command: a stream, or a delivery stream, that there is. Completion offers their names.
CLI::Option* AddStreamName(CLI::App& command, std::string& target);
CLI::Option* AddDeliveryStreamName(CLI::App& command, std::string& target);
/// Which of the two a command has: the group of commands whose `list` knows the names. Empty: neither.
std::string NamesGroupOf(const CLI::App& command);

/// Words and what they mean, in the order in which help shows them.
template <typename T>
using Choices = std::vector<std::pair<std::string, T>>;

/// An option whose value is one of the words in `choices`.
template <typename T>
CLI::Option* AddChoice(CLI::App& command, const std::string& name, T& target, const Choices<T>& choices,
                       const std::string& help) {
  std::vector<std::string> words;
  std::string type;
  std::string preset;
  for (const auto& [word, value] : choices) {
    words.push_back(word);
    type.append(type.empty() ? "" : "|").append(word);
    if (value == target) preset = word;
  }
  const auto take = [&target, choices](const std::string& word) {
    for (const auto& [choice, value] : choices) {
      if (choice == word) target = value;
    }
  };
  return command.add_option_function<std::string>(name, take, help)
      ->transform(OneOf(std::move(words)))
      ->type_name(type)
      ->default_str(preset);
}

}  // namespace sluice::tools
