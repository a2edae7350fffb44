// The native door: a TCP listener for Sluice's own protocol (protocol/native/PROTOCOL.md), and its sessions.
//
// Every connection belongs to one event loop. Bad bytes get one error answer and end their own connection, nothing
// else.
//
// Threads: Start and Stop by one thread, not an event loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sluice/status.h"

namespace sluice::broker::native {

struct NativeDoorOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 7420;                     // 0: any free port
  std::uint32_t connections_max = 20'000;        // further ones are closed at once
  std::uint64_t inflight_bytes_max = 16u << 20;  // of one connection's unanswered requests; then it is not read
  std::uint64_t output_bytes_max = 32u << 20;    // of one connection's unsent answers; then it is not read
  std::int64_t hello_timeout_ms = 10'000;        // from connect to the first complete message
  std::int64_t message_timeout_ms = 30'000;  // from the first to the last byte of a message, and for a write to move
  std::int64_t idle_timeout_ms = 600'000;    // without any request in work
};

}  // namespace sluice::broker::native
