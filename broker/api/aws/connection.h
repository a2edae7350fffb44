// One connection of the AWS port: a socket, TLS on the port for it, and the HTTP session that the first bytes ask for.
//
// Life: kPreface (a handshake, and which HTTP is it?) -> kOpen -> kDraining (all is sent, the peer may still send; what
// it sends is dropped for a moment, so that it can read the answer) -> kClosed.
//
// An answer that is written piece by piece (response_stream.h) is told when the peer has given it up, when the
// connection closes, and when the port stops.
//
// An idle connection has no buffer of its own. Requests in work refer to the connection and keep it alive, never its
// socket open.
//
// Threads: its loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/api/aws/aws_loop.h"
#include "broker/api/aws/http_session.h"
#include "broker/api/aws/response_stream.h"
#include "broker/api/aws/tls_stream.h"
#include "broker/api/polled_socket.h"

namespace sluice::broker::aws {

class Connection final : public StreamCarrier, public PolledSocket, public std::enable_shared_from_this<Connection> {
 public:
  /// Takes over an accepted socket. `tls` is null where the bytes are plain.
  Connection(AwsLoop& loop, int fd, std::unique_ptr<TlsStream> tls);

  void Start();
  /// Sends what has gathered, and goes on with requests that waited for that.
  void FlushNow();
  void CheckDeadlines();
  /// Takes no more requests; closes when those it has taken are answered.
  void BeginStop();
  void Close();

  void WriteStream(std::uint64_t id, std::string piece) override;
  void EndStream(std::uint64_t id) override;
  bool StreamHasRoom(std::uint64_t id) const override { return session_->StreamHasRoom(id); }

  std::size_t place = 0;       // in AwsLoop's list
  bool flush_awaited = false;  // FlushList's

 private:
  enum class State : std::uint8_t { kPreface, kOpen, kDraining, kClosed };
  struct OpenStream {
    std::shared_ptr<ResponseStream> stream;
    std::int64_t full_since_ms = 0;  // without room; 0: it has some
  };

  void WaitForInput();
  void OnReadable() override;
  void OnWritable() override;
  void OnBroken() override { Close(); }
  bool ReadOnce();
  bool WantsInput() const;
  void TakeEncrypted(std::string_view bytes);
  void Take(std::string_view bytes);
  void Taken();
  void TakePreface(std::string_view bytes);
  void Pump();
  void Answered(std::uint64_t id, HttpResponse response);
  bool HasRoomFor(const HttpResponse& response);
  std::size_t HeldBytes() const;
  void Attach(std::uint64_t id, const HttpResponse& response);
  void TellStreams();
  void TellAllStreams(StreamNews news);
  void AbortFullStreams(std::int64_t now_ms);
  void OutputBegins();
  void Flush();
  bool FillOutput();
  void Encrypt();
  bool Send();
  void Sent(std::size_t bytes);
  void CloseIfDone();
  void Drain();
  void EndInput();
  void SendCloseNotify();

  AwsLoop& loop_;
  const std::unique_ptr<TlsStream> tls_;
  State state_ = State::kPreface;
  std::string preface_;  // what has come of it
  std::unique_ptr<HttpSession> session_;
  std::unordered_map<std::uint64_t, OpenStream> streams_;
  std::vector<std::string> output_;  // what is to be sent, encrypted where there is TLS
  std::size_t output_first_ = 0;     // the first piece that is not sent
  std::size_t output_sent_ = 0;      // bytes of that piece
  std::size_t output_bytes_ = 0;     // of that piece and those behind it
  AnswerShare answers_;              // what output_ and the session hold, as of the last Flush
  bool pumping_ = false;
  bool input_ended_ = false;  // the peer has closed its side
  bool stopping_ = false;
  std::int64_t active_ms_;  // last request or answer
  std::int64_t write_moved_ms_ = 0;
  std::int64_t drain_since_ms_ = 0;
};

}  // namespace sluice::broker::aws
