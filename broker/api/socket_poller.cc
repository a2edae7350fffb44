// An epoll inside the loop's own.
#include "broker/api/socket_poller.h"

#include <cerrno>

#include "protocol/check.h"

namespace sluice::broker {

SocketPoller::SocketPoller(EventLoop& loop) : epoll_(loop.context()) {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  SLUICE_CHECK(fd >= 0);
  epoll_.assign(fd);
  Wait();
}

void SocketPoller::Add(int socket, std::uint32_t events, Handler& handler) {
  epoll_event event{.events = events, .data = {.ptr = &handler}};
  const int result = ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, socket, &event);
  SLUICE_CHECK(result == 0);
}

void SocketPoller::Change(int socket, std::uint32_t events, Handler& handler) {
  epoll_event event{.events = events, .data = {.ptr = &handler}};
  const int result = ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_MOD, socket, &event);
  SLUICE_CHECK(result == 0);
}

// Closing is not enough: a child process that has not come to its exec yet holds the connection open, and epoll would
// go on to tell of it to a handler that is gone.
void SocketPoller::Remove(int socket) { (void)::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, socket, nullptr); }

void SocketPoller::Stop() {
  boost::system::error_code ignored;
  epoll_.close(ignored);
}

void SocketPoller::Wait() {
  epoll_.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](const boost::system::error_code& error) {
    if (error) return;
    Dispatch();
    if (epoll_.is_open()) Wait();
  });
}

void SocketPoller::Dispatch() {
  const int count =
      ::epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(events_.size()), /*timeout=*/0);
  SLUICE_CHECK(count >= 0 || errno == EINTR);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    static_cast<Handler*>(event.data.ptr)->OnEvents(event.events);
  }
}

}  // namespace sluice::broker
