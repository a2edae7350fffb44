// A connection's socket that does not block, and what its connection waits for; one wait is one call back.
//
// Threads: the loop's own.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>

#include "broker/loop/socket_poller.h"

namespace sluice::broker {

/// Sends what the socket takes now: how many bytes, or -1 with errno. At least one piece.
ssize_t SendPieces(int socket, std::span<iovec> pieces);

/// Lives until the turn after CloseSocket.
class PolledSocket : SocketPoller::Handler {
 public:
  PolledSocket(SocketPoller& poller, int socket) : poller_(poller), socket_(socket) {}
  PolledSocket(const PolledSocket&) = delete;
  PolledSocket& operator=(const PolledSocket&) = delete;

 protected:
  ~PolledSocket() { CloseSocket(); }

  /// Before the first wait. Small answers leave at once from then on (TCP_NODELAY).
  void BeginToPoll();
  /// OnReadable is called once: something has come, the peer has closed its side, or the connection is broken.
  void WaitReadable();
  /// OnWritable is called once, when the socket takes more.
  void WaitWritable();
  bool waiting_writable() const { return waiting_writable_; }
  void CloseSocket();  // once or more
  int socket() const { return socket_; }

  virtual void OnReadable() = 0;
  virtual void OnWritable() = 0;
  /// The connection is broken while nobody waits to read, so that no read would tell: close it.
  virtual void OnBroken() = 0;

 private:
  void OnEvents(std::uint32_t events) final;
  void Watch(std::uint32_t events);

  SocketPoller& poller_;
  int socket_;                       // -1: closed
  std::uint32_t watched_ = EPOLLIN;  // beside those that epoll always tells
  bool waiting_readable_ = false;
  bool waiting_writable_ = false;
};

}  // namespace sluice::broker
