// One subscription of enhanced fan-out (SubscribeToShard) over a blocking socket of the loopback, as an SDK reads it:
// HTTP/2 with prior knowledge and windows of 1 MiB, or HTTP/1.1 in chunks. Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/status.h"

namespace sluice::tools {

enum class HttpVersion : std::uint8_t { kHttp1, kHttp2 };

/// The bytes of an answer's body as they come.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  /// Adds at least one byte of the body; kUnavailable at its end.
  virtual Status Read(std::string& to) = 0;
};

class FanOutClient {
 public:
  /// Sends SubscribeToShard with this JSON, unsigned over HTTP/2.
  static Result<std::unique_ptr<FanOutClient>> Subscribe(std::uint16_t port, HttpVersion version,
                                                         std::string_view body);

  /// Reads until there is a whole message, and takes it: how many records it holds. An exception is an error.
  Result<std::size_t> NextRecords();
  /// Reads messages until they have held so many records.
  Status ReadRecords(std::size_t records);

 private:
  explicit FanOutClient(std::unique_ptr<BodyReader> reader) : reader_(std::move(reader)) {}

  const std::unique_ptr<BodyReader> reader_;
  std::string bytes_;      // of messages that are not complete, behind taken_
  std::size_t taken_ = 0;  // of bytes_
};

}  // namespace sluice::tools
