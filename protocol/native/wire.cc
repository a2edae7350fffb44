// Encodes and decodes the 32 bytes in front of every message.
#include "protocol/native/wire.h"

#include <fmt/format.h>
#include <isa-l/crc.h>

#include <algorithm>
#include <cstring>

#include "protocol/check.h"

namespace sluice::protocol::wire {
namespace {

constexpr std::size_t kMagicAt = 0;
constexpr std::size_t kVersionAt = 4;
constexpr std::size_t kKindAt = 5;
constexpr std::size_t kOperationAt = 6;
constexpr std::size_t kCorrelationAt = 8;
constexpr std::size_t kStatusAt = 16;
constexpr std::size_t kFlagsAt = 18;
constexpr std::size_t kControlBytesAt = 20;
constexpr std::size_t kBodyBytesAt = 24;
constexpr std::size_t kCrcAt = 28;
static_assert(kCrcAt + sizeof(std::uint32_t) == kHeaderSize);
static_assert(kBodyBytesMax > kBatchBytesMax);

template <typename Int>
void Store(char* to, Int value) {
  for (std::size_t i = 0; i < sizeof(Int); ++i) to[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
}

template <typename Int>
Int Load(const char* from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Int); ++i) value |= std::uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
  return static_cast<Int>(value);
}

// ISA-L neither inverts the start value nor the result, and takes its input as not const without writing to it.
std::uint32_t Crc32cOf(std::string_view first, std::string_view second) {
  auto update = [](std::uint32_t crc, std::string_view part) {
    auto* bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(part.data()));
    return part.empty() ? crc : crc32_iscsi(bytes, static_cast<int>(part.size()), crc);
  };
  return ~update(update(~std::uint32_t{0}, first), second);
}

Status CheckLengths(const MessageHeader& header) {
  if (header.control_bytes > kControlBytesMax) {
    return {Code::kCorruption, fmt::format("native message: control_bytes {} is over the limit of {}",
                                           header.control_bytes, kControlBytesMax)};
  }
  if (header.body_bytes > kBodyBytesMax) {
    return {Code::kCorruption,
            fmt::format("native message: body_bytes {} is over the limit of {}", header.body_bytes, kBodyBytesMax)};
  }
  return {};
}

}  // namespace

HeaderBytes EncodeHeader(const MessageHeader& header, std::string_view control) {
  SLUICE_CHECK(control.size() <= kControlBytesMax);
  SLUICE_CHECK(header.body_bytes <= kBodyBytesMax);
  HeaderBytes bytes{};
  Store(bytes.data() + kMagicAt, kMagic);
  Store(bytes.data() + kVersionAt, header.version);
  Store(bytes.data() + kKindAt, static_cast<std::uint8_t>(header.kind));
  Store(bytes.data() + kOperationAt, static_cast<std::uint16_t>(header.operation));
  Store(bytes.data() + kCorrelationAt, header.correlation_id);
  Store(bytes.data() + kStatusAt, static_cast<std::uint16_t>(header.status));
  Store(bytes.data() + kFlagsAt, std::uint16_t{0});
  Store(bytes.data() + kControlBytesAt, static_cast<std::uint32_t>(control.size()));
  Store(bytes.data() + kBodyBytesAt, header.body_bytes);
  Store(bytes.data() + kCrcAt, Crc32cOf({bytes.data(), kCrcAt}, control));
  return bytes;
}

void AppendMessage(const MessageHeader& header, std::string_view control, std::string_view body, std::string& out) {
  SLUICE_CHECK(body.size() <= kBodyBytesMax);
  MessageHeader complete = header;
  complete.body_bytes = static_cast<std::uint32_t>(body.size());
  const HeaderBytes bytes = EncodeHeader(complete, control);
  out.append(bytes.data(), bytes.size()).append(control).append(body);
}

Result<MessageHeader> DecodeHeader(std::string_view bytes) {
  SLUICE_CHECK(bytes.size() >= kHeaderSize);
  const char* at = bytes.data();
  if (Load<std::uint32_t>(at + kMagicAt) != kMagic) {
    return Error(Code::kCorruption,
                 "native message: wrong magic; the other side does not speak Sluice's native protocol");
  }
  MessageHeader header;
  header.version = Load<std::uint8_t>(at + kVersionAt);
  const auto kind = Load<std::uint8_t>(at + kKindAt);
  header.operation = static_cast<Operation>(Load<std::uint16_t>(at + kOperationAt));
  header.correlation_id = Load<std::uint64_t>(at + kCorrelationAt);
  const auto status = Load<std::uint16_t>(at + kStatusAt);
  header.control_bytes = Load<std::uint32_t>(at + kControlBytesAt);
  header.body_bytes = Load<std::uint32_t>(at + kBodyBytesAt);
  header.crc32c = Load<std::uint32_t>(at + kCrcAt);

  if (header.version < kVersionMin || header.version > kVersionMax) {
    return Error(Code::kCorruption, fmt::format("native message: version {} is not one of {} to {}", header.version,
                                                kVersionMin, kVersionMax));
  }
  if (kind != static_cast<std::uint8_t>(MessageKind::kRequest) &&
      kind != static_cast<std::uint8_t>(MessageKind::kResponse)) {
    return Error(Code::kCorruption, fmt::format("native message: kind {} is neither request nor response", kind));
  }
  header.kind = static_cast<MessageKind>(kind);
  const auto status_max =
      static_cast<std::uint16_t>(header.kind == MessageKind::kRequest ? Code::kOk : Code::kInternal);
  if (status > status_max) {
    return Error(Code::kCorruption, fmt::format("native message: status {} is not one that a {} has", status,
                                                kind == 1 ? "request" : "response"));
  }
  header.status = static_cast<Code>(status);
  if (const auto flags = Load<std::uint16_t>(at + kFlagsAt); flags != 0) {
    return Error(Code::kCorruption, fmt::format("native message: flags {} are not 0", flags));
  }
  if (Status lengths = CheckLengths(header); !lengths.ok()) return Error(std::move(lengths));
  return header;
}

Status VerifyControl(const MessageHeader& header, std::string_view header_bytes, std::string_view control) {
  SLUICE_CHECK(header_bytes.size() >= kHeaderSize);
  SLUICE_CHECK(control.size() == header.control_bytes);
  const std::uint32_t crc32c = Crc32cOf(header_bytes.substr(0, kCrcAt), control);
  if (crc32c == header.crc32c) return {};
  return {Code::kCorruption,
          fmt::format("native message: checksum {:08x} does not match its bytes ({:08x})", header.crc32c, crc32c)};
}

Result<std::uint8_t> NegotiateVersion(std::uint32_t peer_min, std::uint32_t peer_max) {
  const std::uint32_t highest = std::min<std::uint32_t>(peer_max, kVersionMax);
  if (peer_min <= peer_max && highest >= std::max<std::uint32_t>(peer_min, kVersionMin)) {
    return static_cast<std::uint8_t>(highest);
  }
  return Error(Code::kFailedPrecondition,
               fmt::format("no common version of the native protocol: this side speaks {} to {}, the other {} to {}; "
                           "update the older of the two",
                           kVersionMin, kVersionMax, peer_min, peer_max));
}

std::string_view OperationName(Operation operation) {
  switch (operation) {
    case Operation::kConnection:
      return "connection";
    case Operation::kHello:
      return "hello";
    case Operation::kAppend:
      return "append";
    case Operation::kRead:
      return "read";
    case Operation::kCreateStream:
      return "create stream";
    case Operation::kDescribeStream:
      return "describe stream";
    case Operation::kListStreams:
      return "list streams";
    case Operation::kSetRetention:
      return "set retention";
    case Operation::kDeleteStream:
      return "delete stream";
    case Operation::kInitProducer:
      return "init producer";
    case Operation::kDelivery:
      return "delivery";
  }
  return "unknown";
}

}  // namespace sluice::protocol::wire
