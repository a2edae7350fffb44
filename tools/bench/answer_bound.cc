// Blocking receives and sends, without any copy: the answer leaves from where it stands.
#include "tools/bench/answer_bound.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string_view>
#include <thread>

#include "tools/bench/http_text.h"

namespace sluice::tools {

namespace {

bool SendAll(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Until the peer is gone.
void AnswerPeer(int socket, std::string_view answer) {
  std::string in;
  std::array<char, 4096> piece;
  while (true) {
    const ssize_t got = recv(socket, piece.data(), piece.size(), 0);
    if (got <= 0) break;
    in.append(piece.data(), static_cast<std::size_t>(got));
    const auto size = HttpMessageBytes(in);
    if (!size) break;
    if (*size == 0 || in.size() < *size) continue;
    in.erase(0, *size);
    if (!SendAll(socket, answer)) break;
  }
  close(socket);
}

}  // namespace

Result<std::unique_ptr<BoundProcess>> StartAnswerBound(const std::string& answer) {
  return BoundProcess::Start([&](int listener, const std::function<void()>& ready) {
    ready();
    while (true) {
      const int peer = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer >= 0) std::thread(AnswerPeer, peer, std::string_view(answer)).detach();
    }
  });
}

}  // namespace sluice::tools
