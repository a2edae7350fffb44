// The listening socket of a door: accepts on the thread of the doors and gives each connection a loop of its own, in
// turn. Where a connection cannot be accepted (most often descriptors have run out, but for those that are kept for the
// log) it says so in the log and pauses a moment; the connection waits. For all doors.
//
// Threads: made, started and stopped by one thread, not an event loop; connections are given on the thread of the
// doors.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "broker/loop/event_loops.h"
#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::broker {

class Acceptor {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using Accepted = std::function<void(std::size_t loop, Socket socket)>;

  /// `section` is the door's section in the configuration. Connections go to the first `loops_used` loops.
  Acceptor(EventLoops& loops, std::size_t loops_used, storage::Clock& clock, std::string_view section);
  /// Stopped, or never started.
  ~Acceptor();

  /// kInvalidArgument for an address that is none; kUnavailable where it cannot be bound: the message says which
  /// setting to change.
  Status Listen(const std::string& address, std::uint16_t port, std::string_view port_setting = "port");
  /// After Listen; 0 before.
  std::uint16_t port() const;
  /// `accepted` is called for each connection, until Stop has returned.
  void Start(Accepted accepted);
  void Stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // calls in flight share it
};

}  // namespace sluice::broker
