// A bound's server in a process of its own (fork), so that it shares nothing with the load generator but the machine.
// It listens on loopback at a free port, and ends with this object or with its parent. Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "sluice/status.h"

namespace sluice::tools {

class BoundProcess {
 public:
  /// Serves for ever on a listening socket; calls `ready` when it is about to.
  using Serve = std::function<void(int listener, const std::function<void()>& ready)>;

  /// Returns when the server is ready.
  static Result<std::unique_ptr<BoundProcess>> Start(const Serve& serve);
  ~BoundProcess();
  std::uint16_t port() const { return port_; }

 private:
  BoundProcess(int pid, std::uint16_t port) : pid_(pid), port_(port) {}
  const int pid_;
  const std::uint16_t port_;
};

}  // namespace sluice::tools
