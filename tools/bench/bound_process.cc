// Forks a server and waits for it over a pipe.
#include "tools/bench/bound_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace sluice::tools {

namespace {

Result<std::pair<int, std::uint16_t>> Listen() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 || listen(fd, 1024) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return Error(Code::kUnavailable, fmt::format("cannot listen on loopback: {}", std::strerror(errno)));
  }
  return std::pair(fd, ntohs(address.sin_port));
}

}  // namespace

Result<std::unique_ptr<BoundProcess>> BoundProcess::Start(const Serve& serve) {
  auto listener = Listen();
  if (!listener) return Error(listener.error());
  std::array<int, 2> ready{};  // the child closes its end when its doors are open
  if (pipe2(ready.data(), O_CLOEXEC) != 0)
    return Error(Code::kUnavailable, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  const int pid = fork();
  if (pid < 0) return Error(Code::kUnavailable, fmt::format("cannot fork: {}", std::strerror(errno)));
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve(listener->first, [&] { close(ready[1]); });
    _exit(1);
  }
  close(listener->first);
  close(ready[1]);
  char nothing = 0;
  while (read(ready[0], &nothing, 1) < 0 && errno == EINTR) {
  }
  close(ready[0]);
  return std::unique_ptr<BoundProcess>(new BoundProcess(pid, listener->second));
}

BoundProcess::~BoundProcess() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

}  // namespace sluice::tools
