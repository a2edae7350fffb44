// Writing JSON text by hand, where the bytes must be the same each time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace sluice::protocol {

/// How many bytes at the front of `text` stand in a JSON string as they are: all but quotes, backslashes and control
/// characters. Eight at a time, as names, numbers and keys rarely hold others.
inline std::size_t PlainJsonBytes(std::string_view text) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x80 * kEach;
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof(word));
    const std::uint64_t quote = word ^ ('"' * kEach);
    const std::uint64_t backslash = word ^ ('\\' * kEach);
    const std::uint64_t control = (word - 0x20 * kEach) & ~word;
    if (((control | ((quote - kEach) & ~quote) | ((backslash - kEach) & ~backslash)) & kHigh) != 0) break;
  }
  for (; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte == '"' || byte == '\\') break;
  }
  return at;
}

/// Appends `text` as a JSON string with its quotes. `text` is UTF-8 and goes out as it is but for quotes, backslashes
/// and control characters.
inline void AppendJsonString(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (;;) {
    const std::size_t plain = PlainJsonBytes(text);
    out += text.substr(0, plain);
    if (plain == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[plain]);
    if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += '\\';
      out += text[plain];
    }
    text.remove_prefix(plain + 1);
  }
  out += '"';
}

/// What simdjson says of an error, without the error's name that newer versions put in front ("DEPTH_ERROR: ..").
inline std::string_view JsonErrorText(std::string_view message) {
  const std::size_t colon = message.find(": ");
  if (colon == message.npos) return message;
  const bool is_name =
      message.substr(0, colon).find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == message.npos;
  return is_name ? message.substr(colon + 2) : message;
}

}  // namespace sluice::protocol
