// Which events are asked for changes as seldom as it can: it is a system call.
#include "broker/api/polled_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace sluice::broker {

// A plain send where there is one piece, as for most answers: it is the cheaper call.
ssize_t SendPieces(int socket, std::span<iovec> pieces) {
  constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
  if (pieces.size() == 1) return ::send(socket, pieces[0].iov_base, pieces[0].iov_len, kFlags);
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  return ::sendmsg(socket, &message, kFlags);
}

void PolledSocket::BeginToPoll() {
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  poller_.Add(socket_, watched_, *this);
}

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

void PolledSocket::CloseSocket() {
  if (socket_ < 0) return;
  poller_.Remove(socket_);
  ::close(std::exchange(socket_, -1));
}

}  // namespace sluice::broker
