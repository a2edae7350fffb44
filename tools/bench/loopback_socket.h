// A blocking TCP connection to a server on the loopback. Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/status.h"

namespace sluice::tools {

/// Bytes of the answer that starts at its argument, 0 where that cannot be told yet; an error where it is a refusal.
using AnswerSizer = std::function<Result<std::size_t>(std::string_view)>;

/// Closes itself. Every failure is kUnavailable.
class LoopbackSocket {
 public:
  static Result<LoopbackSocket> Connect(std::uint16_t port);
  LoopbackSocket(LoopbackSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  LoopbackSocket& operator=(LoopbackSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~LoopbackSocket();

  Status Send(std::string_view bytes);
  /// Adds what has come, at least one byte; waits for it.
  Status Receive(std::string& to);
  /// Waits for exactly so many bytes.
  Status ReceiveAll(char* to, std::size_t bytes);
  /// Sends a request and waits for its whole answer, with nothing behind it.
  Result<std::string> Exchange(std::string_view request, const AnswerSizer& answer_size);

  int fd() const { return fd_; }

 private:
  explicit LoopbackSocket(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace sluice::tools
