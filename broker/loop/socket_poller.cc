// One epoll for the sockets, and an eventfd for Wake, whose handler is null.
#include "broker/loop/socket_poller.h"

#include <sys/eventfd.h>

#include <cerrno>

#include "protocol/check.h"

namespace sluice::broker {

SocketPoller::SocketPoller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  SLUICE_CHECK(epoll_.valid() && wake_.valid());
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  const int result = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
  SLUICE_CHECK(result == 0);
}

void SocketPoller::Add(int socket, std::uint32_t events, Handler& handler) {
  epoll_event event{.events = events, .data = {.ptr = &handler}};
  const int result = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event);
  SLUICE_CHECK(result == 0);
}

void SocketPoller::Change(int socket, std::uint32_t events, Handler& handler) {
  epoll_event event{.events = events, .data = {.ptr = &handler}};
  const int result = ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, socket, &event);
  SLUICE_CHECK(result == 0);
}

// Closing is not enough: a child process that has not come to its exec yet holds the connection open, and epoll would
// go on to tell of it to a handler that is gone.
void SocketPoller::Remove(int socket) { (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket, nullptr); }

void SocketPoller::Wait(std::optional<std::chrono::milliseconds> timeout) {
  const int count = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                                 timeout ? static_cast<int>(timeout->count()) : -1);
  SLUICE_CHECK(count >= 0 || errno == EINTR);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    if (event.data.ptr != nullptr) {
      static_cast<Handler*>(event.data.ptr)->OnEvents(event.events);
    } else {
      eventfd_t ignored;
      (void)::eventfd_read(wake_.get(), &ignored);
    }
  }
}

void SocketPoller::Wake() {
  const int result = ::eventfd_write(wake_.get(), 1);
  SLUICE_CHECK(result == 0);
}

}  // namespace sluice::broker
