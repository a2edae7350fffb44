// Takes event stream messages apart, for tests: nothing of it is the writer's, not even the checksum.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::protocol::aws {

struct ReadEvent {
  std::map<std::string, std::string> headers;
  std::string payload;
};

inline std::uint32_t SlowCrc32(std::string_view bytes) {
  std::uint32_t crc = ~std::uint32_t{0};
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

inline std::size_t ReadNumber(std::string_view bytes) {
  std::size_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

/// Takes the first message off `bytes`; nullopt where it is not complete, or is none.
inline std::optional<ReadEvent> TakeEvent(std::string& bytes) {
  if (bytes.size() < 16) return std::nullopt;
  const std::string_view all = std::string_view(bytes).substr(0, ReadNumber({bytes.data(), 4}));
  const std::size_t header_bytes = ReadNumber(all.substr(4, 4));
  if (all.size() < ReadNumber(all.substr(0, 4)) || header_bytes + 16 > all.size()) return std::nullopt;
  if (SlowCrc32(all.substr(0, 8)) != ReadNumber(all.substr(8, 4))) return std::nullopt;
  if (SlowCrc32(all.substr(0, all.size() - 4)) != ReadNumber(all.substr(all.size() - 4))) return std::nullopt;
  ReadEvent event;
  std::string_view headers = all.substr(12, header_bytes);
  while (!headers.empty()) {
    const std::size_t name_bytes = ReadNumber(headers.substr(0, 1));
    const std::string_view name = headers.substr(1, name_bytes);
    headers.remove_prefix(1 + name_bytes);
    if (headers.size() < 3 || headers.front() != 7) return std::nullopt;
    const std::size_t value_bytes = ReadNumber(headers.substr(1, 2));
    event.headers.emplace(name, headers.substr(3, value_bytes));
    headers.remove_prefix(3 + value_bytes);
  }
  event.payload = all.substr(12 + header_bytes, all.size() - 16 - header_bytes);
  bytes.erase(0, all.size());
  return event;
}

}  // namespace sluice::protocol::aws
