// Readiness of all sockets of one event loop, over epoll: what the loop waits in.
//
// Threads: the loop's own, but for Wake.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "storage/env/posix_calls.h"

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

  SocketPoller();

  /// Begins to watch. The handler lives until the turn after Remove.
  void Add(int socket, std::uint32_t events, Handler& handler);
  void Change(int socket, std::uint32_t events, Handler& handler);
  /// Before the socket is closed; one that is not watched is passed over.
  void Remove(int socket);

  /// Waits until a socket is ready, Wake is called or the time is over (none: it never is), and calls the handlers.
  void Wait(std::optional<std::chrono::milliseconds> timeout);
  /// Ends the wait that goes on, else the next one. From any thread.
  void Wake();

 private:
  const storage::FileDescriptor epoll_;
  const storage::FileDescriptor wake_;
  std::array<epoll_event, 256> events_;
};

}  // namespace sluice::broker
