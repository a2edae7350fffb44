// One connection's HTTP without its socket: bytes go in and requests come out; answers go in and bytes come out. Two
// versions: http1_session.h and http2_session.h.
//
// A session holds no more than its limits allow: one request that is not complete (HTTP/1.1), or streams_max of them
// with connection_bytes_max of bodies (HTTP/2), and answers that the peer does not take.
//
// Threads: its connection's loop.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/aws/http_message.h"

namespace sluice::broker::aws {

struct HttpLimits {
  std::size_t header_bytes_max = 32u << 10;          // line and fields of one request
  std::size_t body_bytes_max = 16u << 20;            // of one request
  std::size_t connection_bytes_max = 32u << 20;      // of all unanswered requests' bodies
  std::size_t unsent_bytes_max = 32u << 20;          // answers; above it no further request is given out
  std::size_t stream_unsent_bytes_max = 512u << 10;  // of one stream; from it on nothing should be written to it
  std::uint32_t streams_max = 128;                   // requests at one time
};

/// What a Reader was asked for and what it returned.
struct DirectRead {
  std::size_t bytes_max;
  ssize_t result;
};

class HttpSession {
 public:
  struct Arrived {
    std::uint64_t id;  // for Answer
    HttpRequest request;
  };

  virtual ~HttpSession() = default;

  /// Takes what has come by `now_ms`.
  virtual void Receive(std::string_view bytes, std::int64_t now_ms) = 0;
  /// Writes up to so many bytes that have come, as recv(2) does, and returns what that does.
  using Reader = std::function<ssize_t(char* to, std::size_t bytes_max)>;
  /// Where the rest of a body can go to its place without a copy: has `read` write it there, once, and takes it.
  /// nullopt where it cannot: what comes is for Receive.
  virtual std::optional<DirectRead> ReceiveDirectly(const Reader& /*read*/, std::int64_t /*now_ms*/) { return {}; }
  /// The next request that may be worked on. Each one is answered, once.
  virtual std::optional<Arrived> Next() = 0;
  virtual void Answer(std::uint64_t id, HttpResponse response) = 0;

  /// In place of Answer: a head, and a body that comes with WriteStream until EndStream. What is said of a stream that
  /// the peer has given up is dropped.
  virtual void BeginStream(std::uint64_t id, const HttpResponse& head) = 0;
  virtual void WriteStream(std::uint64_t id, std::string piece) = 0;
  virtual void EndStream(std::uint64_t id) = 0;
  /// Ends it in a way that the peer does not take for its end, and drops what is unsent.
  virtual void AbortStream(std::uint64_t id) = 0;
  /// False from stream_unsent_bytes_max unsent bytes on.
  virtual bool StreamHasRoom(std::uint64_t id) const = 0;
  struct StreamChange {
    std::uint64_t id;
    bool gone;  // the peer has given it up; or it has room again
  };
  /// What has become of streams since the last call.
  virtual std::vector<StreamChange> TakeStreamChanges() = 0;

  /// Moves what is to be sent to the end of `pieces`; about `bytes_max` of it, the rest later.
  virtual void TakeOutput(std::vector<std::string>& pieces, std::size_t bytes_max) = 0;

  /// False while enough has been taken.
  virtual bool wants_input() const = 0;
  /// A request has begun to come and is not complete.
  virtual bool receiving() const = 0;
  /// Requests are being worked on, or their answers wait to be sent.
  virtual bool working() const = 0;
  /// Memory of the answers that have not been taken by TakeOutput, or not to their end.
  virtual std::size_t unsent_bytes() const = 0;
  bool unsent() const { return unsent_bytes() > 0; }
  /// No request is being worked on, and what is unsent waits for the peer to open its windows.
  virtual bool waits_for_peer() const = 0;
  /// What came was no HTTP, or too much of it: the output says so, or the answer to what Next gives as the last
  /// request; nothing more is taken.
  virtual bool failed() const = 0;
  /// After the output: close.
  virtual bool done() const = 0;

  /// Takes no new request; done when those that are complete have been answered.
  virtual void BeginStop() = 0;
  /// At every tick. Gives up on the requests that began to come `timeout_ms` ago or before and are not complete, and on
  /// complete answers of HTTP/2 of which as long nothing went out: other streams keep their connection moving.
  virtual void GiveUp(std::int64_t now_ms, std::int64_t timeout_ms) = 0;
};

std::unique_ptr<HttpSession> NewHttp1Session(const HttpLimits& limits, std::shared_ptr<BodyMemory> memory);
std::unique_ptr<HttpSession> NewHttp2Session(const HttpLimits& limits, std::shared_ptr<BodyMemory> memory);

/// What a client that speaks HTTP/2 sends first (RFC 9113 section 3.4).
inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace sluice::broker::aws
