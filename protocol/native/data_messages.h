// The four control messages of the data path, read and written by hand: no allocation, no Protobuf header.
//
// They are the messages of the same names in protocol/native/native.proto, byte for byte; tests hold them against the
// generated code. Values only: no I/O, no threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sluice/status.h"

namespace sluice::protocol::wire {

struct AppendRequest {
  std::uint32_t stream_id = 0;
  std::uint32_t shard = 0;
  std::uint32_t ack = 0;  // 0 durable, 1 written, 2 none
  friend bool operator==(const AppendRequest&, const AppendRequest&) = default;
};

struct AppendResponse {
  std::uint64_t base_offset = 0;
  std::int64_t append_time_ms = 0;
  bool duplicate = false;
  friend bool operator==(const AppendResponse&, const AppendResponse&) = default;
};

/// Which of the positions a ReadRequest names; kUnset where it names none.
enum class ReadFrom : std::uint8_t { kUnset, kOffset, kTime, kOldest, kLatest };

struct ReadRequest {
  std::uint32_t stream_id = 0;
  std::uint32_t shard = 0;
  ReadFrom from = ReadFrom::kUnset;
  std::uint64_t offset = 0;  // with kOffset
  std::int64_t time_ms = 0;  // with kTime
  std::uint64_t bytes_max = 0;
  std::uint64_t records_max = 0;
  std::uint32_t wait_ms = 0;
  friend bool operator==(const ReadRequest&, const ReadRequest&) = default;
};

struct ReadResponse {
  std::uint64_t next_offset = 0;
  std::uint64_t oldest_offset = 0;
  std::uint64_t end_offset = 0;
  std::uint64_t first_offset = 0;
  bool closed = false;
  friend bool operator==(const ReadResponse&, const ReadResponse&) = default;
};

/// An encoded message in place; the largest of the four fits.
class EncodedMessage {
 public:
  std::string_view view() const { return {bytes_.data(), size_}; }
  void Push(std::uint8_t byte);

 private:
  std::array<char, 64> bytes_;
  std::size_t size_ = 0;
};

EncodedMessage Encode(const AppendRequest& message);
EncodedMessage Encode(const AppendResponse& message);
EncodedMessage Encode(const ReadRequest& message);
EncodedMessage Encode(const ReadResponse& message);

/// kInvalidArgument where `bytes` is not a Protobuf message. Unknown fields are skipped, the last value of a field
/// wins.
Result<AppendRequest> DecodeAppendRequest(std::string_view bytes);
Result<AppendResponse> DecodeAppendResponse(std::string_view bytes);
Result<ReadRequest> DecodeReadRequest(std::string_view bytes);
Result<ReadResponse> DecodeReadResponse(std::string_view bytes);

}  // namespace sluice::protocol::wire
