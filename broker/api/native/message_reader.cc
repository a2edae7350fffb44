// The state machine of incoming messages.
#include "broker/api/native/message_reader.h"

#include <algorithm>
#include <cstring>

#include "protocol/check.h"

namespace sluice::broker::native {
namespace {

namespace wire = protocol::wire;

// From this size on, a body is worth being received where it will stay.
constexpr std::size_t kLargeBodyBytes = 32u << 10;
// What is received behind a large body or in front of one: a header, a control message and little of the next body.
constexpr std::size_t kPeekBytes = 1024;
// Left-over bytes up to here are copied aside rather than keeping a whole buffer.
constexpr std::size_t kParkedBytesMax = 8u << 10;

}  // namespace

void MessageReader::NeedBuffer(std::size_t bytes) {
  if (!buffer_) {
    buffer_ = pool_.Take();
    capacity_ = BufferPool::kBufferBytes;
    begin_ = end_ = 0;
    if (!parked_.empty()) {
      SLUICE_CHECK(parked_.size() <= capacity_);
      std::memcpy(buffer_.get(), parked_.data(), parked_.size());
      end_ = parked_.size();
      std::string().swap(parked_);
    }
  }
  if (begin_ > 0 && (begin_ == end_ || capacity_ - begin_ < bytes)) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, available());
    end_ -= begin_;
    begin_ = 0;
  }
  if (capacity_ - begin_ >= bytes) return;
  auto larger = std::make_unique_for_overwrite<char[]>(bytes);
  std::memcpy(larger.get(), buffer_.get() + begin_, available());
  end_ -= begin_;
  begin_ = 0;
  if (capacity_ == BufferPool::kBufferBytes) pool_.Give(std::move(buffer_));
  buffer_ = std::move(larger);
  capacity_ = bytes;
}

std::size_t MessageReader::Space(std::array<iovec, 2>& pieces) {
  std::size_t count = 0;
  NeedBuffer(state_ == State::kControl ? wire::kHeaderSize + header_.control_bytes : wire::kHeaderSize);
  std::size_t room = capacity_ - end_;
  if (state_ == State::kBody) {
    SLUICE_CHECK(begin_ == end_ && body_missing_ > 0);
    const std::span<char> batch = body_->batch();
    pieces[count++] = {batch.data() + (batch.size() - body_missing_), body_missing_};
    if (body_missing_ >= kLargeBodyBytes) room = std::min(room, kPeekBytes);
  } else if (last_was_large_ && available() == 0) {
    room = std::min(room, kPeekBytes);
  }
  SLUICE_CHECK(room > 0);
  pieces[count++] = {buffer_.get() + end_, room};
  return count;
}

void MessageReader::Received(std::size_t bytes) {
  if (state_ == State::kBody) {
    const std::size_t into_body = std::min(bytes, body_missing_);
    body_missing_ -= into_body;
    bytes -= into_body;
  }
  end_ += bytes;
  SLUICE_CHECK(end_ <= capacity_);
}

Result<MessageReader::Event> MessageReader::Next() {
  if (!buffer_ && !parked_.empty()) NeedBuffer(0);
  switch (state_) {
    case State::kHeader:
      return TakeHeader();
    case State::kControl:
      return TakeControl();
    case State::kAnnounced:
      SLUICE_CHECK(false && "TakeBody or SkipBody comes first");
      break;
    case State::kBody:
      if (body_missing_ > 0) return Event::kNeedMore;
      return Event::kBody;
    case State::kSkip: {
      const std::size_t skipped = std::min(body_missing_, available());
      begin_ += skipped;
      body_missing_ -= skipped;
      if (body_missing_ > 0) return Event::kNeedMore;
      state_ = State::kHeader;
      return Event::kSkipped;
    }
  }
  return Event::kNeedMore;
}

Result<MessageReader::Event> MessageReader::TakeHeader() {
  if (available() < wire::kHeaderSize) return Event::kNeedMore;
  auto header = wire::DecodeHeader(view());
  if (!header) return Error(header.error());
  header_ = *header;
  state_ = State::kControl;
  return TakeControl();
}

Result<MessageReader::Event> MessageReader::TakeControl() {
  if (available() < wire::kHeaderSize + header_.control_bytes) return Event::kNeedMore;
  const std::string_view bytes = view();
  Status status = wire::VerifyControl(header_, bytes.substr(0, wire::kHeaderSize),
                                      bytes.substr(wire::kHeaderSize, header_.control_bytes));
  if (!status.ok()) return Error(std::move(status));
  begin_ += wire::kHeaderSize + header_.control_bytes;
  state_ = State::kAnnounced;
  last_was_large_ = header_.body_bytes >= kLargeBodyBytes;
  return Event::kControl;
}

std::string_view MessageReader::control() const {
  SLUICE_CHECK(state_ == State::kAnnounced);
  return {buffer_.get() + begin_ - header_.control_bytes, header_.control_bytes};
}

void MessageReader::TakeBody() {
  SLUICE_CHECK(state_ == State::kAnnounced);
  body_.emplace(pool_.frames().Take(header_.body_bytes));
  const std::size_t here = std::min<std::size_t>(available(), header_.body_bytes);
  std::memcpy(body_->batch().data(), buffer_.get() + begin_, here);
  begin_ += here;
  body_missing_ = header_.body_bytes - here;
  state_ = State::kBody;
}

void MessageReader::SkipBody() {
  SLUICE_CHECK(state_ == State::kAnnounced);
  body_missing_ = header_.body_bytes;
  state_ = State::kSkip;
}

protocol::FrameBuffer MessageReader::ReleaseBody() {
  SLUICE_CHECK(state_ == State::kBody && body_missing_ == 0 && body_.has_value());
  protocol::FrameBuffer body = std::move(*body_);
  body_.reset();
  state_ = State::kHeader;
  return body;
}

void MessageReader::Park() {
  if (!buffer_ || available() > kParkedBytesMax) return;
  parked_.assign(buffer_.get() + begin_, available());
  if (capacity_ == BufferPool::kBufferBytes) pool_.Give(std::move(buffer_));
  buffer_.reset();
  capacity_ = begin_ = end_ = 0;
}

}  // namespace sluice::broker::native
