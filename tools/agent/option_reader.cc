// Each read notes its key, and the first mistake.
#include "tools/agent/option_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "protocol/ascii.h"
#include "protocol/suggest.h"

namespace sluice::tools {

const boost::json::value* OptionReader::Find(std::string_view key) {
  read_.emplace_back(key);
  const boost::json::value* const value = object_.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<std::string> OptionReader::Text(std::string_view key) {
  const boost::json::value* const value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return std::string(value->get_string());
  Mistake(key, fmt::format("{} is not a text", boost::json::serialize(*value)));
  return std::nullopt;
}

std::uint64_t OptionReader::Number(std::string_view key, std::uint64_t preset, std::uint64_t min, std::uint64_t max) {
  const boost::json::value* const value = Find(key);
  if (value == nullptr) return preset;
  const std::string text = value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= min && number <= max) return number;
  Mistake(key, fmt::format("{} is not a whole number from {} to {}", text, min, max));
  return preset;
}

bool OptionReader::Flag(std::string_view key, bool preset) {
  const boost::json::value* const value = Find(key);
  if (value == nullptr) return preset;
  const std::string text =
      protocol::Lower(value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value));
  if (text == "true" || text == "false") return text == "true";
  Mistake(key, fmt::format("{} is neither true nor false", text));
  return preset;
}

std::string OptionReader::Word(std::string_view key, const std::vector<std::string>& words) {
  const auto text = Text(key);
  if (!text) return words.front();
  const auto same = [&](const std::string& word) { return protocol::Lower(word) == protocol::Lower(*text); };
  const auto found = std::ranges::find_if(words, same);
  if (found != words.end()) return *found;
  Mistake(key, fmt::format("'{}' is none of {}{}", *text, fmt::join(words, ", "), protocol::DidYouMean(*text, words)));
  return words.front();
}

std::vector<std::string> OptionReader::Texts(std::string_view key) {
  const boost::json::value* const value = Find(key);
  std::vector<std::string> texts;
  if (value == nullptr) return texts;
  if (!value->is_array()) Mistake(key, "it is not a list");
  for (const boost::json::value& element : value->is_array() ? value->get_array() : boost::json::array()) {
    if (!element.is_string()) Mistake(key, fmt::format("{} is not a text", boost::json::serialize(element)));
    if (element.is_string()) texts.emplace_back(element.get_string());
  }
  return texts;
}

std::string OptionReader::PlaceOf(std::string_view key) const {
  return fmt::format("{}{}{}", where_, where_.ends_with(' ') ? "" : ".", key);
}

void OptionReader::Mistake(std::string_view key, std::string_view what) {
  if (error_.ok()) error_ = Status(Code::kInvalidArgument, fmt::format("{}: {}", PlaceOf(key), what));
}

std::vector<std::string> OptionReader::Unread() const {
  std::vector<std::string> keys;
  for (const auto& member : object_) {
    if (std::ranges::find(read_, std::string_view(member.key())) == read_.end()) keys.emplace_back(member.key());
  }
  return keys;
}

}  // namespace sluice::tools
