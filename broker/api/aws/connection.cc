// Reads what has come, through TLS where there is any, hands requests to the gateway, sends answers, and looks after
// deadlines.
#include "broker/api/aws/connection.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <utility>

#include "broker/api/aws/answers.h"
#include "protocol/check.h"

namespace sluice::broker::aws {
namespace {

constexpr int kReadsPerTurn = 4;                // then the others' turn
constexpr std::size_t kTakeBytes = 256u << 10;  // of output at a time
constexpr std::size_t kPiecesPerWrite = 64;
constexpr std::size_t kTlsPiecesMax = 64;  // unsent; above it, a peer makes TLS answer and takes nothing
constexpr std::int64_t kDrainMs = 2'000;

bool IsBlocked(ssize_t result) { return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK); }

}  // namespace

Connection::Connection(AwsLoop& loop, int fd, std::unique_ptr<TlsStream> tls)
    : PolledSocket(loop.loop().poller(), fd),
      loop_(loop),
      tls_(std::move(tls)),
      answers_(loop.shared().answers),
      active_ms_(loop.now_ms()) {}

void Connection::Start() {
  BeginToPoll();
  WaitForInput();
}

void Connection::WaitForInput() {
  if (state_ != State::kClosed && !input_ended_ && WantsInput()) WaitReadable();
}

bool Connection::WantsInput() const {
  if (tls_ && output_.size() >= kTlsPiecesMax) return false;
  return state_ != State::kOpen || session_->wants_input();
}

void Connection::OnReadable() {
  for (int i = 0; i < kReadsPerTurn && WantsInput() && ReadOnce(); ++i) {
  }
  if (state_ == State::kClosed) return;
  if (state_ != State::kDraining) Flush();
  WaitForInput();
}

void Connection::OnWritable() {
  if (state_ == State::kDraining) return;
  Flush();
  WaitForInput();
}

// False where no more is there now, or ever.
bool Connection::ReadOnce() {
  const auto read = [this](char* to, std::size_t bytes_max) { return ::recv(socket(), to, bytes_max, MSG_DONTWAIT); };
  std::optional<DirectRead> direct;
  if (state_ == State::kOpen && !tls_) direct = session_->ReceiveDirectly(read, loop_.now_ms());
  auto& buffer = loop_.buffer();
  const auto [bytes_max, bytes] = direct ? *direct : DirectRead{buffer.size(), read(buffer.data(), buffer.size())};
  if (bytes < 0 && errno == EINTR) return true;
  if (IsBlocked(bytes)) return false;
  if (bytes <= 0) {
    EndInput();
    return false;
  }
  if (direct) {
    Taken();
  } else if (state_ != State::kDraining) {
    const std::string_view received(buffer.data(), static_cast<std::size_t>(bytes));
    tls_ ? TakeEncrypted(received) : Take(received);
  }
  return state_ != State::kClosed && !input_ended_ && static_cast<std::size_t>(bytes) == bytes_max;
}

// What the peer sends after its close_notify is nothing of ours.
void Connection::EndInput() {
  input_ended_ = true;
  if (state_ != State::kOpen) return Close();
  TellAllStreams(StreamNews::kGone);  // nobody closes one side and listens on the other for minutes
}

void Connection::TakeEncrypted(std::string_view bytes) {
  const std::string plain = tls_->Receive(bytes);
  if (std::string own = tls_->TakeOutput(); !own.empty()) {
    if (output_.empty()) write_moved_ms_ = loop_.now_ms();
    output_bytes_ += own.size();
    output_.push_back(std::move(own));
  }
  if (!plain.empty()) Take(plain);
  if (tls_->ended()) EndInput();
}

void Connection::Take(std::string_view bytes) {
  if (state_ == State::kPreface) return TakePreface(bytes);
  session_->Receive(bytes, loop_.now_ms());
  Taken();
}

void Connection::Taken() {
  TellStreams();
  Pump();
}

// HTTP/2 begins with bytes that no request of HTTP/1.1 begins with. Where it was agreed on, other bytes are its error.
void Connection::TakePreface(std::string_view bytes) {
  preface_ += bytes;
  const bool agreed = tls_ && tls_->agreed_on_http2();
  const std::size_t compared = std::min(preface_.size(), kHttp2Preface.size());
  const bool fits = std::string_view(preface_).substr(0, compared) == kHttp2Preface.substr(0, compared);
  if (!agreed && fits && compared < kHttp2Preface.size()) return;
  const DoorShared& shared = loop_.shared();
  session_ = agreed || fits ? NewHttp2Session(shared.options.limits, shared.bodies)
                            : NewHttp1Session(shared.options.limits, shared.bodies);
  state_ = State::kOpen;
  Take(std::exchange(preface_, {}));
}

void Connection::Pump() {
  if (std::exchange(pumping_, true)) return;
  for (std::optional<HttpSession::Arrived> arrived; !answers_.waits() && (arrived = session_->Next());) {
    active_ms_ = loop_.now_ms();
    loop_.metrics().requests.Add();
    loop_.gateway().Serve(
        std::move(arrived->request),
        [me = shared_from_this(), id = arrived->id](HttpResponse response) { me->Answered(id, std::move(response)); });
  }
  pumping_ = false;
}

void Connection::Answered(std::uint64_t id, HttpResponse response) {
  if (!HasRoomFor(response)) RefuseForMemory(response);
  if (response.status >= 500) {
    loop_.metrics().server_errors.Add();
  } else if (response.status >= 400) {
    loop_.metrics().client_errors.Add();
  }
  if (response.stream) return Attach(id, response);
  if (state_ != State::kOpen) return;
  OutputBegins();
  session_->Answer(id, std::move(response));
  if (!pumping_) loop_.FlushLater(*this);
}

// A small answer is kept in any case: without it, a client would do again what it has done.
bool Connection::HasRoomFor(const HttpResponse& response) {
  if (state_ != State::kOpen || response.body.size() <= AnswerShare::kUncountedBytes) return true;
  return answers_.Grow(HeldBytes() + response.body.size());
}

std::size_t Connection::HeldBytes() const { return output_bytes_ + (session_ ? session_->unsent_bytes() : 0); }

void Connection::OutputBegins() {
  active_ms_ = loop_.now_ms();
  if (!session_->unsent() && output_.empty()) write_moved_ms_ = active_ms_;
}

// What there is to tell already is told from the loop: the operation does not have its stream yet.
void Connection::Attach(std::uint64_t id, const HttpResponse& response) {
  const bool closed = state_ != State::kOpen || input_ended_;
  if (state_ == State::kOpen) {
    OutputBegins();
    session_->BeginStream(id, response);
    if (!closed) {
      response.stream->Attach(shared_from_this(), id);
      streams_.emplace(id, OpenStream{response.stream});
    } else {
      session_->EndStream(id);
    }
    loop_.FlushLater(*this);
  }
  if (!closed && !stopping_) return;
  loop_.loop().Post(
      [stream = response.stream, closed] { stream->Tell(closed ? StreamNews::kGone : StreamNews::kStopping); });
}

void Connection::WriteStream(std::uint64_t id, std::string piece) {
  if (state_ != State::kOpen) return;
  OutputBegins();
  session_->WriteStream(id, std::move(piece));
  loop_.FlushLater(*this);
}

void Connection::EndStream(std::uint64_t id) {
  streams_.erase(id);
  if (state_ != State::kOpen) return;
  OutputBegins();
  session_->EndStream(id);
  loop_.FlushLater(*this);
}

void Connection::TellStreams() {
  for (const HttpSession::StreamChange& change : session_->TakeStreamChanges()) {
    const auto found = streams_.find(change.id);
    if (found == streams_.end()) continue;
    found->second.full_since_ms = 0;
    const std::shared_ptr<ResponseStream> stream = found->second.stream;
    if (change.gone) streams_.erase(found);
    stream->Tell(change.gone ? StreamNews::kGone : StreamNews::kRoom);
  }
}

void Connection::TellAllStreams(StreamNews news) {
  std::vector<std::pair<std::uint64_t, std::shared_ptr<ResponseStream>>> all;
  for (const auto& [id, open] : streams_) all.emplace_back(id, open.stream);
  if (news == StreamNews::kGone) streams_.clear();
  for (const auto& [id, stream] : all) {
    stream->Tell(news);
    if (news == StreamNews::kGone && session_) session_->EndStream(id);
  }
}

// A peer of HTTP/2 that takes other streams and not this one.
void Connection::AbortFullStreams(std::int64_t now_ms) {
  for (auto& [id, open] : streams_) {
    if (session_->StreamHasRoom(id)) {
      open.full_since_ms = 0;
    } else if (open.full_since_ms == 0) {
      open.full_since_ms = now_ms;
    } else if (now_ms - open.full_since_ms >= loop_.shared().options.request_timeout_ms) {
      session_->AbortStream(id);
    }
  }
  TellStreams();
}

void Connection::FlushNow() {
  if (state_ != State::kOpen) return;
  Flush();
  WaitForInput();
}

void Connection::Flush() {
  while (!waiting_writable() && FillOutput()) {
    if (!Send()) break;
  }
  answers_.Set(HeldBytes());
  CloseIfDone();
}

// Requests that waited for their answers to leave go on here.
bool Connection::FillOutput() {
  if (!output_.empty()) return true;
  if (!session_) return false;
  answers_.Set(HeldBytes());  // what was sent may let the next request on
  Pump();
  session_->TakeOutput(output_, kTakeBytes);
  TellStreams();
  if (tls_ && !output_.empty()) Encrypt();
  for (const std::string& piece : output_) output_bytes_ += piece.size();
  return !output_.empty();
}

void Connection::Encrypt() {
  std::string plain;  // together: a record of TLS for each piece would cost more than this copy
  for (const std::string& piece : output_) plain += piece;
  output_.clear();
  tls_->Send(plain);
  if (std::string encrypted = tls_->TakeOutput(); !encrypted.empty()) output_.push_back(std::move(encrypted));
}

// False where the socket takes no more, or is broken.
bool Connection::Send() {
  std::array<iovec, kPiecesPerWrite> pieces;
  std::size_t count = 0;
  for (std::size_t i = output_first_; i < output_.size() && count < pieces.size(); ++i, ++count) {
    const std::size_t skip = i == output_first_ ? output_sent_ : 0;
    pieces[count] = {output_[i].data() + skip, output_[i].size() - skip};
  }
  const ssize_t sent = SendPieces(socket(), std::span(pieces).first(count));
  if (sent < 0 && errno == EINTR) return true;
  if (IsBlocked(sent)) {
    WaitWritable();
    return false;
  }
  if (sent < 0) {
    Close();
    return false;
  }
  Sent(static_cast<std::size_t>(sent));
  return true;
}

void Connection::Sent(std::size_t bytes) {
  write_moved_ms_ = loop_.now_ms();
  while (bytes > 0) {
    std::string& piece = output_[output_first_];
    const std::size_t of_piece = std::min(bytes, piece.size() - output_sent_);
    bytes -= of_piece;
    output_sent_ += of_piece;
    if (output_sent_ < piece.size()) return;
    output_bytes_ -= piece.size();
    piece = {};
    output_sent_ = 0;
    ++output_first_;
  }
  if (output_first_ == output_.size()) {
    output_.clear();
    output_first_ = 0;
  }
}

// All output is gone.
void Connection::CloseIfDone() {
  if (state_ == State::kClosed || waiting_writable()) return;
  if (tls_ && tls_->failed()) return Drain();
  if (state_ != State::kOpen) return;
  const bool done = session_->done();
  const bool over = input_ended_ && (!session_->working() || session_->waits_for_peer());
  if (!done && !over) return;
  if (!done || input_ended_) return Close();
  Drain();
}

void Connection::Drain() {
  SendCloseNotify();
  state_ = State::kDraining;
  drain_since_ms_ = loop_.now_ms();
  ::shutdown(socket(), SHUT_WR);
  WaitForInput();
}

// All output is gone, so the socket has room for these few bytes, or its peer is not there.
void Connection::SendCloseNotify() {
  if (!tls_ || !output_.empty()) return;
  tls_->Close();
  const std::string bytes = tls_->TakeOutput();
  if (!bytes.empty()) (void)::send(socket(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Connection::CheckDeadlines() {
  const std::int64_t now_ms = loop_.now_ms();
  const AwsDoorOptions& options = loop_.shared().options;
  if (state_ == State::kPreface && now_ms - active_ms_ >= options.request_timeout_ms) return Close();
  if (state_ == State::kDraining && now_ms - drain_since_ms_ >= kDrainMs) return Close();
  if (state_ != State::kOpen) return;
  const bool writing = !output_.empty() || session_->unsent();
  if (writing && now_ms - write_moved_ms_ >= options.request_timeout_ms) return Close();
  session_->GiveUp(now_ms, options.request_timeout_ms);
  AbortFullStreams(now_ms);
  const bool idle = !writing && !session_->working() && !session_->receiving();
  if (idle && now_ms - active_ms_ >= options.idle_timeout_ms) return BeginStop();
  Flush();
}

void Connection::BeginStop() {
  if (state_ == State::kPreface) return Close();
  if (state_ != State::kOpen) return;
  const bool idle = output_.empty() && !session_->working() && !session_->receiving();
  stopping_ = true;
  session_->BeginStop();
  TellAllStreams(StreamNews::kStopping);
  Flush();
  if (idle) Close();  // nobody waits for an answer
}

void Connection::Close() {
  if (std::exchange(state_, State::kClosed) == State::kClosed) return;
  if ((session_ && session_->failed()) || (tls_ && tls_->failed())) loop_.metrics().protocol_errors.Add();
  const std::shared_ptr<Connection> keep = shared_from_this();  // the streams may be all that holds it
  TellAllStreams(StreamNews::kGone);
  SendCloseNotify();
  CloseSocket();
  output_.clear();
  output_bytes_ = 0;
  answers_.Set(HeldBytes());
  loop_.Remove(*this);
}

}  // namespace sluice::broker::aws
