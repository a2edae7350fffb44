// One message in one piece of memory.
#include "protocol/aws/event_stream.h"

#include <isa-l/crc.h>

#include <array>
#include <cstdint>

#include "protocol/check.h"
#include "protocol/endian.h"

namespace sluice::protocol::aws {
namespace {

constexpr std::size_t kPreludeBytes = 12;
constexpr std::size_t kPreludeCrcAt = 8;
constexpr std::size_t kCrcBytes = 4;
constexpr std::size_t kHeaderOverheadBytes = 4;  // length of the name, type, length of the value
constexpr char kStringType = 7;

struct Header {
  std::string_view name;
  std::string_view value;
};

std::uint32_t Crc32(std::string_view bytes) {
  return crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

template <typename Integer>
void Append(std::string& to, Integer value) {
  std::array<char, sizeof(Integer)> bytes{};
  StoreBigEndian(bytes.data(), value);
  to.append(bytes.data(), bytes.size());
}

void Append(std::string& to, const Header& header) {
  SLUICE_CHECK(header.name.size() <= UINT8_MAX && header.value.size() <= UINT16_MAX);
  to += static_cast<char>(header.name.size());
  to += header.name;
  to += kStringType;
  Append(to, static_cast<std::uint16_t>(header.value.size()));
  to += header.value;
}

}  // namespace

std::string EventMessage(const EventKind& kind, std::string_view payload) {
  const std::array headers{Header{kind.is_exception ? ":exception-type" : ":event-type", kind.type},
                           Header{":content-type", kind.content_type},
                           Header{":message-type", kind.is_exception ? "exception" : "event"}};
  std::size_t header_bytes = 0;
  for (const Header& header : headers) header_bytes += kHeaderOverheadBytes + header.name.size() + header.value.size();
  const std::size_t bytes = kPreludeBytes + header_bytes + payload.size() + kCrcBytes;
  SLUICE_CHECK(bytes <= INT32_MAX);
  std::string message;
  message.reserve(bytes);
  Append(message, static_cast<std::uint32_t>(bytes));
  Append(message, static_cast<std::uint32_t>(header_bytes));
  SLUICE_CHECK(message.size() == kPreludeCrcAt);
  Append(message, Crc32(message));
  for (const Header& header : headers) Append(message, header);
  message += payload;
  Append(message, Crc32(message));
  SLUICE_CHECK(message.size() == bytes);
  return message;
}

}  // namespace sluice::protocol::aws
