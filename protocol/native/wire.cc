// Encodes and decodes the 32 bytes in front of every message.
#include "protocol/native/wire.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/check.h"
#include "protocol/crc32c.h"
#include "protocol/endian.h"

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
  StoreLittleEndian(bytes.data() + kMagicAt, kMagic);
  StoreLittleEndian(bytes.data() + kVersionAt, header.version);
  StoreLittleEndian(bytes.data() + kKindAt, static_cast<std::uint8_t>(header.kind));
  StoreLittleEndian(bytes.data() + kOperationAt, static_cast<std::uint16_t>(header.operation));
  StoreLittleEndian(bytes.data() + kCorrelationAt, header.correlation_id);
  StoreLittleEndian(bytes.data() + kStatusAt, static_cast<std::uint16_t>(header.status));
  StoreLittleEndian(bytes.data() + kFlagsAt, std::uint16_t{0});
  StoreLittleEndian(bytes.data() + kControlBytesAt, static_cast<std::uint32_t>(control.size()));
  StoreLittleEndian(bytes.data() + kBodyBytesAt, header.body_bytes);
  StoreLittleEndian(bytes.data() + kCrcAt, Crc32c(control, Crc32c({bytes.data(), kCrcAt})));
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
  if (LoadLittleEndian<std::uint32_t>(at + kMagicAt) != kMagic) {
    return Error(Code::kCorruption,
                 "native message: wrong magic; the other side does not speak Sluice's native protocol");
  }
  MessageHeader header;
  header.version = LoadLittleEndian<std::uint8_t>(at + kVersionAt);
  const auto kind = LoadLittleEndian<std::uint8_t>(at + kKindAt);
  header.operation = static_cast<Operation>(LoadLittleEndian<std::uint16_t>(at + kOperationAt));
  header.correlation_id = LoadLittleEndian<std::uint64_t>(at + kCorrelationAt);
  const auto status = LoadLittleEndian<std::uint16_t>(at + kStatusAt);
  header.control_bytes = LoadLittleEndian<std::uint32_t>(at + kControlBytesAt);
  header.body_bytes = LoadLittleEndian<std::uint32_t>(at + kBodyBytesAt);
  header.crc32c = LoadLittleEndian<std::uint32_t>(at + kCrcAt);

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
      static_cast<std::uint16_t>(header.kind == MessageKind::kRequest ? Code::kOk : Code::kShardClosed);
  if (status > status_max) {
    return Error(Code::kCorruption, fmt::format("native message: status {} is not one that a {} has", status,
                                                kind == 1 ? "request" : "response"));
  }
  header.status = static_cast<Code>(status);
  if (const auto flags = LoadLittleEndian<std::uint16_t>(at + kFlagsAt); flags != 0) {
    return Error(Code::kCorruption, fmt::format("native message: flags {} are not 0", flags));
  }
  if (Status lengths = CheckLengths(header); !lengths.ok()) return Error(std::move(lengths));
  return header;
}

Status VerifyControl(const MessageHeader& header, std::string_view header_bytes, std::string_view control) {
  SLUICE_CHECK(header_bytes.size() >= kHeaderSize);
  SLUICE_CHECK(control.size() == header.control_bytes);
  const std::uint32_t crc32c = Crc32c(control, Crc32c(header_bytes.substr(0, kCrcAt)));
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
    case Operation::kAcceptLoss:
      return "accept loss";
    case Operation::kReshardStream:
      return "reshard stream";
    case Operation::kJoinGroup:
      return "join group";
    case Operation::kGroupHeartbeat:
      return "group heartbeat";
    case Operation::kCommitCheckpoints:
      return "commit checkpoints";
    case Operation::kLeaveGroup:
      return "leave group";
    case Operation::kDescribeGroup:
      return "describe group";
    case Operation::kListGroups:
      return "list groups";
    case Operation::kDeleteGroup:
      return "delete group";
    case Operation::kResetGroup:
      return "reset group";
    case Operation::kEncryptStream:
      return "encrypt stream";
  }
  return "unknown";
}

}  // namespace sluice::protocol::wire
