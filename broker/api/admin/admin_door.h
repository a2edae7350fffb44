// The admin door: HTTP for operators and their tools. /metrics (Prometheus text), /healthz (the process runs), /readyz
// (503 with the reason until recovery is done, when writing has ended, and while the disk is full), /version.
//
// Threads: Start and Stop by one thread, not an event loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "broker/loop/event_loops.h"
#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::broker::admin {

struct AdminDoorOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 9420;                 // 0: any free port
  std::uint32_t connections_max = 256;       // further ones are closed at once
  std::int64_t request_timeout_ms = 10'000;  // for a request to arrive and for its answer to leave
};

/// What the pages show. Called on the blocking pool, from the door's start to its Stop.
struct AdminPages {
  std::function<std::string()> metrics;  // Prometheus text
  std::function<Status()> ready;         // OK, or why this broker cannot serve
};

class AdminDoor {
 public:
  /// Listens. kUnavailable where the address cannot be bound: the message says which setting to change.
  static Result<std::unique_ptr<AdminDoor>> Start(EventLoops& loops, storage::Clock& clock, AdminPages pages,
                                                  AdminDoorOptions options);
  ~AdminDoor();

  std::uint16_t port() const;
  /// Takes no connection any more; returns when no page is being made.
  void Stop();

 private:
  class Impl;
  explicit AdminDoor(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // its connections share it
};

}  // namespace sluice::broker::admin
