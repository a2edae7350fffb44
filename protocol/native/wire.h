// The header in front of every message of the native protocol; protocol/native/PROTOCOL.md has every byte.
//
// The broker's native door and the client SDK read 32 bytes, decode them, then read the control bytes, check them, then
// the body. Everything that decides how much memory a message takes is checked before it is taken. Values only: no I/O,
// no threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/batch.h"
#include "sluice/status.h"

namespace sluice::protocol::wire {

inline constexpr std::uint32_t kMagic = 0x314E4C53;  // "SLN1" as little-endian bytes
inline constexpr std::uint8_t kVersionMin = 1;       // the versions that this code speaks
inline constexpr std::uint8_t kVersionMax = 1;
inline constexpr std::uint8_t kHelloVersion = 1;  // of both messages of Hello, for ever
inline constexpr std::size_t kHeaderSize = 32;
inline constexpr std::size_t kControlBytesMax = 1u << 20;
inline constexpr std::size_t kBodyBytesMax = kBatchBytesMax + (64u << 10);

enum class MessageKind : std::uint8_t { kRequest = 1, kResponse = 2 };

/// A header may hold a number that stands for none of these: a request that this version does not know.
enum class Operation : std::uint16_t {
  kConnection = 0,  // only in the error that is sent before a connection is closed
  kHello = 1,
  kAppend = 2,
  kRead = 3,
  kCreateStream = 4,
  kDescribeStream = 5,
  kListStreams = 6,
  kSetRetention = 7,
  kDeleteStream = 8,
  kInitProducer = 9,
  kDelivery = 10,
  kAcceptLoss = 11,
  kReshardStream = 12,
  kJoinGroup = 13,
  kGroupHeartbeat = 14,
  kCommitCheckpoints = 15,
  kLeaveGroup = 16,
  kDescribeGroup = 17,
  kListGroups = 18,
  kDeleteGroup = 19,
  kResetGroup = 20,
  kEncryptStream = 21,
};

/// "append"; for messages, logs and metrics. "unknown" for a number without a name.
std::string_view OperationName(Operation operation);

struct MessageHeader {
  std::uint8_t version = kHelloVersion;
  MessageKind kind = MessageKind::kRequest;
  Operation operation = Operation::kConnection;
  std::uint64_t correlation_id = 0;
  Code status = Code::kOk;
  std::uint32_t control_bytes = 0;
  std::uint32_t body_bytes = 0;
  std::uint32_t crc32c = 0;  // filled in by EncodeHeader

  std::size_t total_size() const { return kHeaderSize + control_bytes + body_bytes; }
  friend bool operator==(const MessageHeader&, const MessageHeader&) = default;
};

using HeaderBytes = std::array<char, kHeaderSize>;

/// The header of a message with this control part; control_bytes and crc32c are filled in, body_bytes is taken as it
/// is.
HeaderBytes EncodeHeader(const MessageHeader& header, std::string_view control);

/// Appends header, control and body to `out`; all lengths are filled in.
void AppendMessage(const MessageHeader& header, std::string_view control, std::string_view body, std::string& out);

/// Decodes the header that starts at `bytes` (at least kHeaderSize) and checks every field but the checksum.
/// kCorruption names the wrong field; the connection cannot go on then. The version is checked for being one of ours,
/// not for being the negotiated one.
Result<MessageHeader> DecodeHeader(std::string_view bytes);

/// Checks the checksum over `header_bytes` (as received) and `control`.
Status VerifyControl(const MessageHeader& header, std::string_view header_bytes, std::string_view control);

/// The highest version that this code and a peer that speaks `peer_min` to `peer_max` have in common;
/// kFailedPrecondition names both ranges.
Result<std::uint8_t> NegotiateVersion(std::uint32_t peer_min, std::uint32_t peer_max);

}  // namespace sluice::protocol::wire
