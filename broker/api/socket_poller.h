// Readiness of many sockets of one event loop: one wait of the loop for all of them, over an epoll of their own. Asio
// alone would cost a system call for each socket that goes back to waiting, which is each request of a client that
// sends one at a time.
//
// Threads: the loop's own.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cstdint>

#include "broker/event_loops.h"

namespace sluice::broker {

class SocketPoller {
 public:
  class Handler {
   public:
    /// `events` as epoll has them: EPOLLIN, EPOLLOUT as asked for, EPOLLERR and EPOLLHUP always. Called again as long
    /// as they hold. May be called once more in the turn in which the socket was closed.
    virtual void OnEvents(std::uint32_t events) = 0;

   protected:
    ~Handler() = default;
  };

  explicit SocketPoller(EventLoop& loop);

  /// Begins to watch. The handler lives until the turn after Remove.
  void Add(int socket, std::uint32_t events, Handler& handler);
  void Change(int socket, std::uint32_t events, Handler& handler);
  /// Before the socket is closed; one that is not watched is passed over.
  void Remove(int socket);
  /// No more calls.
  void Stop();

 private:
  void Wait();
  void Dispatch();

  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> epoll_;
  std::array<epoll_event, 256> events_;
};

}  // namespace sluice::broker
