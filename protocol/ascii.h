// Letters and digits of ASCII, whatever the locale. Values only: safe on any thread.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace sluice::protocol {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool IsLetterOrDigit(char c) { return IsLetter(c) || IsDigit(c); }
constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

inline std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = Lower(c);
  return lower;
}

/// Whether `text` is `lower`, a text in lower case, but for the case of its letters.
inline bool IsWithoutCase(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, {}, [](char c) { return Lower(c); });
}

}  // namespace sluice::protocol
