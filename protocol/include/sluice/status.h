// Status and Result: how every part of Sluice reports what went wrong.
//
// The code answers the question a caller really has (may I retry? is the request wrong? is data damaged?); the message
// says what happened, to which thing, and what to do about it. Errors of the world are returned, our own bugs are CHECKed
// (protocol/check.h). Values are immutable after construction and safe to pass between threads.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

enum class Code : std::uint8_t {
  kOk = 0,
  kInvalidArgument = 1,     // the request can never succeed as it is
  kNotFound = 2,            // the named thing does not exist
  kAlreadyExists = 3,       // the named thing exists already
  kOutOfRange = 4,          // a position before the oldest or after the newest record
  kFailedPrecondition = 5,  // right request, wrong state (a sequence gap, a paused stream, an open data directory)
  kFenced = 6,              // a newer epoch of the same producer or owner is at work
  kResourceExhausted = 7,   // a limit or a full disk: nothing was done, try again after a pause
  kUnavailable = 8,         // not now (starting, stopping, connection lost): try again
  kTimedOut = 9,            // no answer in time: the outcome is unknown
  kCorruption = 10,         // bytes do not match their checksum or their format
  kIoError = 11,            // the disk failed; writing on that data directory has ended
  kUnimplemented = 12,      // a known request that this version does not serve
  kInternal = 13,           // a bug in Sluice
  kShardClosed = 14,        // the shard was split or merged: nothing was stored, send it to the shard's children
};

/// The field's name of a code, such as "not found"; for messages, logs and metrics.
std::string_view CodeName(Code code);

/// The outcome of an operation without a value. Cheap to copy when OK.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

  /// True where the same request may succeed later without change.
  bool retriable() const {
    return code_ == Code::kResourceExhausted || code_ == Code::kUnavailable || code_ == Code::kTimedOut;
  }

  /// "not found: stream 'orders' does not exist".
  std::string ToString() const;

  /// The same error with `context` and ": " in front of its message; OK stays OK.
  Status WithContext(std::string_view context) const;

  friend bool operator==(const Status&, const Status&) = default;

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

/// A value or the Status that says why there is none (never an OK status).
template <typename T>
using Result = std::expected<T, Status>;

/// `return Error(Code::kNotFound, "...")` from a function that returns Result<T>.
inline std::unexpected<Status> Error(Code code, std::string message) {
  return std::unexpected(Status(code, std::move(message)));
}
inline std::unexpected<Status> Error(Status status) { return std::unexpected(std::move(status)); }

}  // namespace sluice
