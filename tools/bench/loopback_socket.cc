// socket, connect, send, recv.
#include "tools/bench/loopback_socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sluice::tools {

namespace {

constexpr std::size_t kReceiveBytes = 256u << 10;

Status Closed() { return Status(Code::kUnavailable, "the server closed the connection"); }

}  // namespace

Result<LoopbackSocket> LoopbackSocket::Connect(std::uint16_t port) {
  LoopbackSocket made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (made.fd_ < 0) return Error(Code::kUnavailable, fmt::format("no socket: {}", std::strerror(errno)));
  if (connect(made.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Error(Code::kUnavailable, fmt::format("cannot connect to 127.0.0.1:{}: {}", port, std::strerror(errno)));
  }
  const int one = 1;
  setsockopt(made.fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return made;
}

LoopbackSocket::~LoopbackSocket() {
  if (fd_ >= 0) close(fd_);
}

Status LoopbackSocket::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return Closed();
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Status LoopbackSocket::Receive(std::string& to) {
  ssize_t got = 0;
  const std::size_t before = to.size();
  to.resize_and_overwrite(before + kReceiveBytes, [&](char* data, std::size_t) {
    got = recv(fd_, data + before, kReceiveBytes, 0);
    return before + static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  });
  return got > 0 ? Status() : Closed();
}

Status LoopbackSocket::ReceiveAll(char* to, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t got = recv(fd_, to, bytes, MSG_WAITALL);
    if (got <= 0) return Closed();
    to += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return {};
}

Result<std::string> LoopbackSocket::Exchange(std::string_view request, const AnswerSizer& answer_size) {
  if (Status sent = Send(request); !sent.ok()) return Error(sent);
  for (std::string answer;;) {
    if (Status received = Receive(answer); !received.ok()) return Error(received);
    auto size = answer_size(answer);
    if (!size) return Error(size.error());
    if (*size > 0 && *size <= answer.size()) return answer;
  }
}

}  // namespace sluice::tools
