// Bytes of a connection become messages: header, control, body. No socket in it, so that tests and fuzzers can feed it.
//
// The owner receives into Space(), says how much came with Received(), and calls Next() until it answers kNeedMore. A
// body goes straight into a FrameBuffer: what stands in the input buffer is copied, and the rest is received there
// without a copy, with the next message's header behind it.
//
//   kNeedMore <- Next -> kControl -> TakeBody or SkipBody -> Next -> kBody or kSkipped (or kNeedMore) -> ...
//
// Every field that decides about memory is checked, and the control message's checksum holds, before it is taken.
//
// Threads: its owner's.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "broker/api/native/buffer_pool.h"
#include "protocol/frame.h"
#include "protocol/native/wire.h"
#include "sluice/status.h"

namespace sluice::broker::native {

class MessageReader {
 public:
  enum class Event : std::uint8_t { kNeedMore, kControl, kBody, kSkipped };

  explicit MessageReader(BufferPool& pool) : pool_(pool) {}

  /// Where the next bytes go: one or two pieces, never empty.
  std::size_t Space(std::array<iovec, 2>& pieces);
  void Received(std::size_t bytes);

  /// An error ends the connection: the two sides no longer agree about where messages start.
  Result<Event> Next();

  /// Of the message that kControl announced; control() is good until the next call of anything.
  const protocol::wire::MessageHeader& header() const { return header_; }
  std::string_view control() const;
  /// After kControl, exactly one of these.
  void TakeBody();
  void SkipBody();
  /// After kControl: all of the body has come.
  bool body_is_here() const { return available() >= header_.body_bytes; }
  /// After kBody.
  protocol::FrameBuffer ReleaseBody();

  /// True while a message has begun and is not complete.
  bool partial() const { return state_ != State::kHeader || begin_ < end_ || !parked_.empty(); }
  /// Gives the input buffer back; few left-over bytes are kept aside. For when the socket has been read empty.
  void Park();

 private:
  enum class State : std::uint8_t { kHeader, kControl, kAnnounced, kBody, kSkip };

  void NeedBuffer(std::size_t bytes);
  Result<Event> TakeHeader();
  Result<Event> TakeControl();
  std::size_t available() const { return end_ - begin_; }
  std::string_view view() const { return {buffer_.get() + begin_, available()}; }

  BufferPool& pool_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string parked_;  // what Park kept
  State state_ = State::kHeader;
  bool last_was_large_ = false;
  protocol::wire::MessageHeader header_;
  std::optional<protocol::FrameBuffer> body_;
  std::size_t body_missing_ = 0;  // of body_, or to be skipped
};

}  // namespace sluice::broker::native
