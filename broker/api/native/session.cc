// A session's input, output and end.
#include "broker/api/native/session.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "protocol/check.h"

namespace sluice::broker::native {
namespace {

namespace wire = protocol::wire;

constexpr std::size_t kReceiveBytesPerTurn = 1u << 20;  // then the other connections have their turn
constexpr std::uint32_t kRequestsMax = 8192;            // unanswered, of one connection
constexpr std::int64_t kDrainMs = 2'000;                // for the peer to read the error that ended its connection
constexpr std::int64_t kBytesPerMsMin = 64;             // a message may be this slow beyond its timeout

/// A plain recv where there is one piece, which is what small requests need: it is the cheaper call.
ssize_t ReceivePieces(int socket, iovec* pieces, std::size_t count) {
  if (count == 1) return ::recv(socket, pieces->iov_base, pieces->iov_len, MSG_DONTWAIT);
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = count;
  return ::recvmsg(socket, &message, MSG_DONTWAIT);
}

}  // namespace

Session::Session(NativeLoop& loop, int fd)
    : PolledSocket(loop.loop().poller(), fd),
      loop_(loop),
      reader_(loop.buffers()),
      connected_ms_(loop.now_ms()),
      active_ms_(loop.now_ms()) {}

Session::~Session() { SLUICE_CHECK(closed()); }

void Session::Start() {
  BeginToPoll();
  WaitForInput();
}

void Session::WaitForInput() {
  if (!input_ended_ && !closed()) WaitReadable();
}

void Session::OnReadable() {
  active_ms_ = loop_.now_ms();
  if (state_ == State::kDraining) return Drain();
  if (paused_ || input_ended_) return;
  std::size_t turn_bytes = 0;
  bool more = true;
  while (more && turn_bytes < kReceiveBytesPerTurn) {
    std::array<iovec, 2> pieces;
    const std::size_t count = reader_.Space(pieces);
    const std::size_t room = pieces[0].iov_len + (count > 1 ? pieces[1].iov_len : 0);
    const ssize_t received = ReceivePieces(socket(), pieces.data(), count);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (received < 0) return Close();
    if (received == 0) return OnEndOfInput();
    reader_.Received(static_cast<std::size_t>(received));
    turn_bytes += static_cast<std::size_t>(received);
    Process();
    if (closed() || paused_ || state_ == State::kDraining) return;
    more = static_cast<std::size_t>(received) == room;
  }
  reader_.Park();
  WaitForInput();
}

// Takes every complete message that is in the buffer, until the session must pause.
void Session::Process() {
  while (!paused_ && !closed() && state_ != State::kDraining && !input_ended_) {
    const auto event = reader_.Next();
    if (!event) return Fail(event.error());
    if (*event == MessageReader::Event::kNeedMore) break;
    partial_since_ms_ = 0;
    if (*event == MessageReader::Event::kControl) TakeRequest();
    if (*event == MessageReader::Event::kBody) RunAppend();
    if (!paused_ && MustPause()) paused_ = true;
  }
  if (!reader_.partial()) {
    partial_since_ms_ = 0;
  } else if (partial_since_ms_ == 0) {
    partial_since_ms_ = loop_.now_ms();
  }
}

void Session::TakeRequest() {
  const wire::MessageHeader& header = reader_.header();
  if (header.kind != wire::MessageKind::kRequest) {
    return Fail(Status(Code::kCorruption, "a client must send requests, not responses"));
  }
  if (state_ == State::kHello || header.operation == wire::Operation::kHello) return TakeHello();
  if (header.version != version_) {
    return Fail(Status(Code::kCorruption, fmt::format("the message has version {}, but version {} was agreed on",
                                                      header.version, version_)));
  }
  if (header.operation == wire::Operation::kAppend) return TakeAppend();
  if (header.operation == wire::Operation::kRead) return TakeRead();
  if (const ControlOperation* operation = FindControlOperation(header.operation)) return TakeControl(*operation);
  AnswerError(
      {header.operation, header.correlation_id},
      Status(Code::kUnimplemented, fmt::format("operation {} is not known here; the broker is older than the client",
                                               static_cast<int>(header.operation))));
  reader_.SkipBody();
}

bool Session::MustPause() const {
  const NativeDoorOptions& options = loop_.shared().options;
  return inflight_bytes_ >= options.inflight_bytes_max || inflight_requests_ >= kRequestsMax ||
         output_.bytes() >= options.output_bytes_max;
}

// Resuming is a task of its own, so that an answer never runs the next request inside itself.
void Session::ResumeLater() {
  const NativeDoorOptions& options = loop_.shared().options;
  if (!paused_ || resume_posted_ || closed() || waiting_ready_ || waiting_body_) return;
  if (inflight_bytes_ > options.inflight_bytes_max / 2 || inflight_requests_ > kRequestsMax / 2 ||
      output_.bytes() > options.output_bytes_max / 2) {
    return;
  }
  resume_posted_ = true;
  loop_.loop().Post([me = self()] {
    me->resume_posted_ = false;
    if (!me->closed()) me->Resume();
  });
}

void Session::Resume() {
  if (!paused_ || state_ == State::kDraining || MustPause()) return;
  paused_ = false;
  if (partial_since_ms_ != 0) partial_since_ms_ = loop_.now_ms();  // it was not the peer who waited
  Process();
  if (!paused_ && !closed() && state_ != State::kDraining) {
    reader_.Park();
    WaitForInput();
  }
  CloseIfDone();
}

// The peer sends no more but may still wait for answers.
void Session::OnEndOfInput() {
  input_ended_ = true;
  CloseIfDone();
}

void Session::BeginStop() {
  if (closed()) return;
  input_ended_ = true;
  CloseIfDone();
}

void Session::CloseIfDone() {
  if (closed() || !input_ended_ || state_ == State::kDraining) return;
  if (inflight_requests_ == 0 && output_.empty() && deferred_reads_.empty()) Close();
}

void Session::Flush() {
  if (closed() || waiting_writable() || output_.empty()) return;
  std::size_t sent = 0;
  const auto outcome = output_.Send(socket(), sent);
  if (sent > 0) active_ms_ = write_moved_ms_ = loop_.now_ms();
  if (outcome == OutputQueue::Outcome::kBroken) return Close();
  if (outcome == OutputQueue::Outcome::kBlocked) {
    if (sent == 0) write_moved_ms_ = loop_.now_ms();
    WaitWritable();
  } else if (state_ == State::kDraining) {
    ::shutdown(socket(), SHUT_WR);
  }
  RunDeferredReads();
  ResumeLater();
  CloseIfDone();
}

// One error answer, and the end: what comes in is thrown away, so that the answer is not lost to a reset.
void Session::Fail(const Status& status) {
  if (closed() || state_ == State::kDraining) return;
  loop_.metrics().protocol_errors.Add();
  std::uint64_t suppressed = 0;
  if (loop_.shared().protocol_error_log.Allow(loop_.shared().clock.MonotonicNs(), suppressed)) {
    log::Warning("a native connection was ended because of what it sent",
                 {{"reason", status}, {"not_logged", suppressed}});
  }
  AnswerError({wire::Operation::kConnection, 0}, status);
  state_ = State::kDraining;
  drain_since_ms_ = loop_.now_ms();
  deferred_reads_.clear();
  WaitForInput();
}

void Session::Drain() {
  std::array<char, 16u << 10> discarded;
  for (int i = 0; i < 16; ++i) {
    const ssize_t received = ::recv(socket(), discarded.data(), discarded.size(), MSG_DONTWAIT);
    if (received == 0 || (received < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return Close();
    if (received < 0) break;
  }
  WaitForInput();
}

void Session::CheckDeadlines() {
  if (closed()) return;
  const NativeDoorOptions& options = loop_.shared().options;
  const std::int64_t now_ms = loop_.now_ms();
  if (state_ == State::kDraining) {
    if (now_ms - drain_since_ms_ > kDrainMs) Close();
    return;
  }
  if (waiting_writable() && now_ms - write_moved_ms_ > options.message_timeout_ms) return Close();
  if (state_ == State::kHello && now_ms - connected_ms_ > options.hello_timeout_ms) {
    return Fail(Status(Code::kTimedOut, fmt::format("no Hello within {} ms", options.hello_timeout_ms)));
  }
  // Slow ones get their time only while nobody waits for the memory that they hold.
  const std::int64_t slow_ms = loop_.shared().bodies.contended() ? 0 : reader_.header().body_bytes / kBytesPerMsMin;
  const std::int64_t message_ms = options.message_timeout_ms + slow_ms;
  if (partial_since_ms_ != 0 && !paused_ && now_ms - partial_since_ms_ > message_ms) {
    return Fail(Status(Code::kTimedOut, fmt::format("a message did not arrive completely within {} ms", message_ms)));
  }
  const bool idle = inflight_requests_ == 0 && output_.empty() && partial_since_ms_ == 0;
  if (idle && now_ms - active_ms_ > options.idle_timeout_ms) Close();
}

void Session::Close() {
  if (closed()) return;
  state_ = State::kClosed;
  CloseSocket();
  output_.Clear();
  deferred_reads_.clear();
  GiveBodyBytes();
  loop_.Remove(*this);
  if (waiting_body_) loop_.shared().bodies.Forget(this);
}

}  // namespace sluice::broker::native
