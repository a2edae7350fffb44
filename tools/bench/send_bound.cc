// A sender thread and a receiver over one loopback connection, 1 MiB pieces (larger and smaller ones are slower here).
#include "tools/bench/send_bound.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "tools/bench/cold_file.h"

namespace sluice::tools {

namespace {

constexpr std::size_t kPieceBytes = 1u << 20;

Status SystemError(const char* what) {
  return Status(Code::kIoError, fmt::format("{}: {}", what, std::strerror(errno)));
}

/// Two ends of one TCP connection over loopback.
Result<std::pair<int, int>> LoopbackPair() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, raw, size) != 0 || listen(listener, 1) != 0 || getsockname(listener, raw, &size) != 0) {
    return Error(SystemError("cannot listen on loopback"));
  }
  const int to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(to, raw, size) != 0) return Error(SystemError("cannot connect to loopback"));
  const int from = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  close(listener);
  return std::pair(to, from);
}

/// Sends pieces until told to stop, or once through the file.
void SendAll(int socket, int file, std::uint64_t file_bytes, const std::atomic<bool>& stop) {
  std::vector<char> piece(kPieceBytes, 'x');
  for (std::uint64_t at = 0; !stop && (file < 0 || at < file_bytes); at += piece.size()) {
    if (file >= 0 && pread(file, piece.data(), piece.size(), static_cast<off_t>(at)) <= 0) break;
    for (std::size_t done = 0; done < piece.size();) {
      const ssize_t sent = send(socket, piece.data() + done, piece.size() - done, MSG_NOSIGNAL);
      if (sent <= 0) return;
      done += static_cast<std::size_t>(sent);
    }
  }
  shutdown(socket, SHUT_WR);
}

}  // namespace

Result<double> MeasureSendBound(const SendBoundOptions& options) {
  int file = -1;
  if (options.file_bytes > 0) {
    auto cold = MakeColdFile(options.dir, options.file_bytes);
    if (!cold) return Error(cold.error());
    file = *cold;
  }
  auto pair = LoopbackPair();
  if (!pair) return Error(pair.error());
  std::atomic<bool> stop = false;
  const auto start = std::chrono::steady_clock::now();
  std::thread sender([&] { SendAll(pair->first, file, options.file_bytes, stop); });
  std::vector<char> in(kPieceBytes);
  std::uint64_t received = 0;
  double seconds = 0;
  while (true) {
    const ssize_t got = recv(pair->second, in.data(), in.size(), 0);
    if (got <= 0) break;
    received += static_cast<std::uint64_t>(got);
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (file < 0 && seconds >= options.seconds) stop = true;
  }
  sender.join();
  close(pair->first);
  close(pair->second);
  if (file >= 0) close(file);
  return static_cast<double>(received) / 1e6 / seconds;
}

}  // namespace sluice::tools
