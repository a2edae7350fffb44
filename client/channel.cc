// Reads and writes the messages of one connection.
#include "client/channel.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "protocol/check.h"
#include "protocol/native/native.pb.h"

namespace sluice::client {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using protocol::wire::MessageHeader;
using protocol::wire::MessageKind;
using protocol::wire::Operation;

constexpr std::size_t kReadBufferBytes = 256u << 10;

// Uninitialised memory: answers of megabytes are not written twice.
std::string StringOfSize(std::size_t size) {
  std::string text;
  // The callback's own count is not used: libstdc++ 12 passes the capacity instead.
  text.resize_and_overwrite(size, [size](char*, std::size_t) { return size; });
  return text;
}

Status ErrorOf(Code code, std::string_view control) {
  native::ErrorResponse response;
  if (!response.ParseFromArray(control.data(), static_cast<int>(control.size()))) {
    return {code, "the broker's error message does not parse"};
  }
  return {code, response.message()};
}

}  // namespace

Channel::Channel(asio::ip::tcp::socket socket, std::string address, Events events)
    : socket_(std::move(socket)),
      address_(std::move(address)),
      events_(std::move(events)),
      timer_(socket_.get_executor()),
      in_(kReadBufferBytes) {}

void Channel::Start() { asio::co_spawn(socket_.get_executor(), ReadMessages(shared_from_this()), asio::detached); }

void Channel::Greeted(std::uint8_t version) {
  version_ = version;
  greeted_ = true;
}

void Channel::Send(Call call, Done done) {
  if (closed_) return done(Error(closed_because_));
  if (call.control.size() > protocol::wire::kControlBytesMax) {
    return done(Error(Code::kInvalidArgument,
                      fmt::format("the request is larger than {} bytes", protocol::wire::kControlBytesMax)));
  }
  const std::uint64_t id = next_id_++;
  MessageHeader header;
  header.version = version_;
  header.operation = call.operation;
  header.correlation_id = id;
  header.body_bytes = call.body ? static_cast<std::uint32_t>(call.body->size()) : 0;
  const auto bytes = protocol::wire::EncodeHeader(header, call.control);
  Outgoing out{
      .head = std::string(bytes.data(), bytes.size()).append(call.control), .body = std::move(call.body), .done = {}};
  if (call.answered) {
    const auto deadline = Clock::now() + call.timeout;
    pending_.emplace(id, Pending{call.operation, deadline, call.timeout, std::move(done)});
    overdue_at_.emplace(deadline, id);
    ArmTimer();
  } else {
    out.done = std::move(done);
  }
  queued_.push_back(std::move(out));
  ScheduleWrite();
}

// One write for everything that is queued in this turn of the loop.
void Channel::ScheduleWrite() {
  if (write_scheduled_ || closed_) return;
  write_scheduled_ = true;
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->Write(); });
}

void Channel::Write() {
  if (closed_) return;
  SLUICE_CHECK(writing_.empty());
  writing_.swap(queued_);
  std::vector<asio::const_buffer> buffers;
  buffers.reserve(2 * writing_.size());
  for (const Outgoing& out : writing_) {
    buffers.emplace_back(out.head.data(), out.head.size());
    if (out.body) buffers.emplace_back(out.body->data(), out.body->size());
  }
  asio::async_write(socket_, buffers, [self = shared_from_this()](const error_code& error, std::size_t) {
    if (error) return self->Broken({Code::kUnavailable, "cannot write: " + error.message()});
    self->Written();
  });
}

void Channel::Written() {
  if (closed_) return;
  std::vector<Outgoing> written = std::move(writing_);
  writing_.clear();
  write_scheduled_ = false;
  if (!queued_.empty()) ScheduleWrite();
  for (Outgoing& out : written) {
    if (out.done) out.done(Answer{});
  }
}

asio::awaitable<void> Channel::ReadMessages(std::shared_ptr<Channel> self) {
  while (co_await self->ReadMessage()) {
  }
}

asio::awaitable<bool> Channel::ReadMessage() {
  protocol::wire::HeaderBytes raw;
  if (!co_await Read(raw)) co_return false;
  const std::string_view header_bytes(raw.data(), raw.size());
  const Result<MessageHeader> header = protocol::wire::DecodeHeader(header_bytes);
  if (!header) {
    Broken(header.error());
    co_return false;
  }
  Answer answer{.control = StringOfSize(header->control_bytes), .body = {}};
  if (!co_await Read(answer.control)) co_return false;
  if (Status intact = protocol::wire::VerifyControl(*header, header_bytes, answer.control); !intact.ok()) {
    Broken(intact);
    co_return false;
  }
  answer.body = StringOfSize(header->body_bytes);
  if (!co_await Read(answer.body)) co_return false;
  // One that is too large for a control message.
  if (header->control_bytes == 0 && header->operation != Operation::kRead) answer.control.swap(answer.body);
  if (Status taken = Dispatch(*header, std::move(answer)); !taken.ok()) {
    Broken(taken);
    co_return false;
  }
  co_return !closed_;
}

// Small pieces come out of the buffer; a large rest is read straight to its place.
asio::awaitable<bool> Channel::Read(std::span<char> out) {
  for (;;) {
    const std::size_t taken = std::min(out.size(), in_end_ - in_begin_);
    std::copy_n(in_.data() + in_begin_, taken, out.data());
    in_begin_ += taken;
    out = out.subspan(taken);
    if (out.empty()) co_return true;
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    if (out.size() >= in_.size()) {
      co_await asio::async_read(socket_, asio::buffer(out.data(), out.size()), token);
      out = {};
    } else {
      in_begin_ = 0;
      in_end_ = co_await socket_.async_read_some(asio::buffer(in_), token);
    }
    if (closed_) co_return false;
    if (error) {
      Broken({Code::kUnavailable, error == asio::error::eof ? "the broker closed it" : error.message()});
      co_return false;
    }
  }
}

// An error is the connection's, not the call's.
Status Channel::Dispatch(const MessageHeader& header, Answer answer) {
  if (header.operation == Operation::kConnection && header.status != Code::kOk) {
    return ErrorOf(header.status, answer.control);
  }
  const auto found = pending_.find(header.correlation_id);
  if (found == pending_.end()) {
    const bool late_refusal = header.operation == Operation::kAppend && header.status != Code::kOk &&
                              header.correlation_id != 0 && header.correlation_id < next_id_;
    if (!late_refusal) return {Code::kCorruption, "an answer came to a request that was not made"};
    events_.refused(ErrorOf(header.status, answer.control));
    return {};
  }
  if (Status fits = CheckAnswers(header); !fits.ok()) return fits;
  Done done = std::move(found->second.done);
  overdue_at_.erase({found->second.deadline, found->first});
  pending_.erase(found);
  if (header.status != Code::kOk) {
    done(Error(ErrorOf(header.status, answer.control)));
  } else {
    done(std::move(answer));
  }
  return {};
}

Status Channel::CheckAnswers(const MessageHeader& header) const {
  const Pending& call = pending_.at(header.correlation_id);
  if (header.kind != MessageKind::kResponse) return {Code::kCorruption, "a request came where an answer was due"};
  if (header.operation != call.operation) {
    return {Code::kCorruption,
            fmt::format("an answer to '{}' came for a request to '{}'", protocol::wire::OperationName(header.operation),
                        protocol::wire::OperationName(call.operation))};
  }
  if (greeted_ && header.version != version_) {
    return {Code::kCorruption, fmt::format("a message of version {} came, {} was agreed on", header.version, version_)};
  }
  return {};
}

void Channel::ArmTimer() {
  if (overdue_at_.empty() || overdue_at_.begin()->first >= timer_at_) return;
  timer_at_ = overdue_at_.begin()->first;
  timer_.expires_at(timer_at_);
  timer_.async_wait([weak = weak_from_this()](const error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->closed_) return;
    self->timer_at_ = Clock::time_point::max();
    self->FailOverdue();
  });
}

// A broker that does not answer one call in time is not trusted with the others: they may wait behind it.
void Channel::FailOverdue() {
  if (overdue_at_.empty() || overdue_at_.begin()->first > Clock::now()) return ArmTimer();
  auto late = pending_.extract(overdue_at_.begin()->second);
  overdue_at_.erase(overdue_at_.begin());
  const std::string text =
      fmt::format("no answer to '{}' from {} within {} ms", protocol::wire::OperationName(late.mapped().operation),
                  address_, late.mapped().timeout.count());
  const auto self = shared_from_this();
  Broken({Code::kUnavailable, text});
  late.mapped().done(Error(Code::kTimedOut, text + "; whether it was carried out is unknown"));
}

// Once the two sides have greeted, whatever breaks the connection may be over with the next one.
void Channel::Broken(const Status& why) {
  const Code code = greeted_ ? Code::kUnavailable : why.code();
  Close({code, fmt::format("connection to {} lost: {}", address_, why.message())});
}

void Channel::Close(const Status& why) {
  SLUICE_CHECK(!why.ok());
  if (closed_) return;
  const auto self = shared_from_this();  // the last owner may let go in a callback
  closed_ = true;
  closed_because_ = why;
  error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
  auto pending = std::move(pending_);
  std::vector<Outgoing> unsent = std::move(queued_);
  pending_.clear();
  overdue_at_.clear();
  queued_.clear();
  events_.closed(why);
  for (auto& [id, call] : pending) call.done(Error(why));
  // The bytes of a write under way stay in writing_ until its handler has run; their calls are failed now all the same.
  for (auto* outgoing : {&writing_, &unsent}) {
    for (Outgoing& out : *outgoing) {
      if (Done done = std::exchange(out.done, {})) done(Error(why));
    }
  }
}

}  // namespace sluice::client
