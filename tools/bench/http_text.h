// What the bench needs to know of HTTP/1.1: where a message of a known length ends. Thread-safe.
#pragma once

#include <charconv>
#include <cstddef>
#include <string_view>

#include "sluice/status.h"

namespace sluice::tools {

/// The head of the message that `bytes` starts with, with the blank line; empty where it is not complete.
inline std::string_view HttpHead(std::string_view bytes) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  constexpr std::size_t kHeadBytesMax = 4096;
  const std::size_t at = bytes.substr(0, kHeadBytesMax).find(kEnd);
  return at == bytes.npos ? std::string_view() : bytes.substr(0, at + kEnd.size());
}

/// Bytes of that message with its body; 0 where its head is not complete, an error where it does not say its length.
inline Result<std::size_t> HttpMessageBytes(std::string_view bytes) {
  constexpr std::string_view kName = "\r\nContent-Length: ";
  const std::string_view head = HttpHead(bytes);
  if (head.empty()) return std::size_t{0};
  const std::size_t at = head.find(kName);
  std::size_t body_bytes = 0;
  if (at == head.npos ||
      std::from_chars(head.data() + at + kName.size(), head.data() + head.size(), body_bytes).ec != std::errc()) {
    return Error(Code::kCorruption, "an HTTP message without its length");
  }
  return head.size() + body_bytes;
}

}  // namespace sluice::tools
