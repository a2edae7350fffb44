// The checks behind the options: each gives "" or the message.
#include "tools/sluice/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "protocol/ascii.h"
#include "protocol/suggest.h"
#include "tools/sluice/units.h"

namespace sluice::tools {

namespace {

constexpr const char* kName = "NAME";
constexpr const char* kStream = "The stream";
constexpr const char* kDeliveryStream = "The delivery stream";

template <typename T>
bool ParseAll(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool SameWord(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return protocol::Lower(c); };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

CLI::Validator WholeNumber(std::uint64_t min, std::uint64_t max) {
  const auto check = [min, max](const std::string& text) -> std::string {
    std::uint64_t number = 0;
    if (ParseAll(text, number) && number >= min && number <= max) return {};
    if (max == ~std::uint64_t{0}) return fmt::format("'{}' is not a whole number from {}", text, FormatCount(min));
    return fmt::format("'{}' is not a whole number from {} to {}", text, FormatCount(min), FormatCount(max));
  };
  return CLI::Validator(check, "");
}

CLI::Validator PositiveNumber() {
  const auto check = [](const std::string& text) -> std::string {
    double number = 0;
    if (ParseAll(text, number) && number > 0) return {};
    return fmt::format("'{}' is not a number above 0", text);
  };
  return CLI::Validator(check, "");
}

CLI::Validator HostAndPort() {
  const auto check = [](const std::string& text) -> std::string {
    const std::size_t colon = text.rfind(':');
    std::uint16_t port = 0;
    if (colon != std::string::npos && colon > 0 && ParseAll(std::string_view(text).substr(colon + 1), port) && port > 0)
      return {};
    return fmt::format("'{}' is not HOST:PORT, such as 127.0.0.1:7420", text);
  };
  return CLI::Validator(check, "");
}

CLI::Validator OneOf(std::vector<std::string> words) {
  const auto check = [words = std::move(words)](std::string& text) -> std::string {
    const auto found = std::ranges::find_if(words, [&](const std::string& word) { return SameWord(word, text); });
    if (found == words.end()) {
      return fmt::format("'{}' is none of {}{}", text, fmt::join(words, ", "), protocol::DidYouMean(text, words));
    }
    text = *found;
    return {};
  };
  return CLI::Validator(check, "");
}

CLI::Option* AddStreamName(CLI::App& command, std::string& target) {
  return command.add_option(kName, target, kStream)->required();
}

CLI::Option* AddDeliveryStreamName(CLI::App& command, std::string& target) {
  return command.add_option(kName, target, kDeliveryStream)->required();
}

std::string NamesGroupOf(const CLI::App& command) {
  const CLI::Option* name = command.get_option_no_throw(kName);
  if (name == nullptr) return "";
  if (name->get_description() == kStream) return "stream";
  return name->get_description() == kDeliveryStream ? "delivery" : "";
}

}  // namespace sluice::tools
