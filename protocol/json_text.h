// Writing JSON text by hand, where the bytes must be the same each time.
#pragma once

#include <string>
#include <string_view>

namespace sluice::protocol {

/// Appends `text` as a JSON string with its quotes. `text` is UTF-8 and goes out as it is but for quotes, backslashes
/// and control characters.
inline void AppendJsonString(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    } else {
      out += c;
    }
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
