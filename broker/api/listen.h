// Opening a listening socket, with an error message that says which setting to change. For all doors.
// Threads: the acceptor's owner.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/status.h"

namespace sluice::broker {

/// `section` is the door's section in the configuration. kInvalidArgument for an address that is none; kUnavailable
/// where it cannot be bound.
Status OpenListener(boost::asio::ip::tcp::acceptor& acceptor, const std::string& address, std::uint16_t port,
                    std::string_view section);

}  // namespace sluice::broker
