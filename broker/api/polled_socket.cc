// Which events are asked for changes as seldom as it can: it is a system call.
#include "broker/api/polled_socket.h"

#include <unistd.h>

#include <utility>

namespace sluice::broker {

void PolledSocket::BeginToPoll() { poller_.Add(socket_, watched_, *this); }

void PolledSocket::WaitReadable() {
  waiting_readable_ = true;
  Watch(watched_ | EPOLLIN);
}

void PolledSocket::WaitWritable() {
  waiting_writable_ = true;
  Watch(watched_ | EPOLLOUT);
}

void PolledSocket::Watch(std::uint32_t events) {
  if (events != watched_) poller_.Change(socket_, events, *this);
  watched_ = events;
}

void PolledSocket::OnEvents(std::uint32_t events) {
  if (socket_ < 0) return;
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  if (broken && !waiting_readable_) return OnBroken();
  if ((events & EPOLLOUT) != 0) {
    waiting_writable_ = false;
    Watch(watched_ & ~std::uint32_t{EPOLLOUT});
    OnWritable();
  }
  if (socket_ < 0 || (!broken && (events & EPOLLIN) == 0)) return;
  if (std::exchange(waiting_readable_, false)) return OnReadable();
  Watch(watched_ & ~std::uint32_t{EPOLLIN});  // not now: only a pause that lasts is worth the call
}

// The poller forgets what is closed.
void PolledSocket::CloseSocket() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

}  // namespace sluice::broker
