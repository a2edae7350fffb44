// Opening a listening socket, with an error message that says which setting to change, and telling when connections
// cannot be accepted. For all doors. Threads: the acceptor's owner.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "broker/log.h"
#include "sluice/status.h"

namespace sluice::broker {

/// `section` is the door's section in the configuration, `port_setting` what its port is called there.
/// kInvalidArgument for an address that is none; kUnavailable where it cannot be bound.
Status OpenListener(boost::asio::ip::tcp::acceptor& acceptor, const std::string& address, std::uint16_t port,
                    std::string_view section, std::string_view port_setting = "port");

/// A line in the log, at most once a minute: most often descriptors have run out, which lasts, and the door asks again
/// ten times a second. One object per door.
class AcceptFailureLog {
 public:
  explicit AcceptFailureLog(std::string_view section) : section_(section) {}
  void Write(const boost::system::error_code& error, std::int64_t now_ns);

 private:
  const std::string section_;
  log::RateLimit limit_{60'000'000'000};
};

}  // namespace sluice::broker
