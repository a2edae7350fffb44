// Bind and listen; one line for many failures.
#include "broker/api/listen.h"

#include <fmt/format.h>

namespace sluice::broker {

Status OpenListener(boost::asio::ip::tcp::acceptor& acceptor, const std::string& address, std::uint16_t port,
                    std::string_view section, std::string_view port_setting) {
  boost::system::error_code error;
  const auto ip = boost::asio::ip::make_address(address, error);
  if (error) {
    return Status(
        Code::kInvalidArgument,
        fmt::format("{}.address is '{}'; it must be an IP address, such as 127.0.0.1 or ::1", section, address));
  }
  const boost::asio::ip::tcp::endpoint endpoint(ip, port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(boost::asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
  if (!error) return {};
  const std::string what = fmt::format("cannot listen on {} port {}: {}", address, port, error.message());
  if (error == boost::asio::error::address_in_use) {
    return Status(Code::kUnavailable, fmt::format("{}; another program uses it: stop it, or choose another {}.{}", what,
                                                  section, port_setting));
  }
  return Status(Code::kUnavailable,
                fmt::format("{}; change {}.address or {}.{}", what, section, section, port_setting));
}

void AcceptFailureLog::Write(const boost::system::error_code& error, std::int64_t now_ns) {
  std::uint64_t suppressed = 0;
  if (!limit_.Allow(now_ns, suppressed)) return;
  const bool no_descriptors = error == boost::asio::error::no_descriptors;
  log::Warning(no_descriptors ? "connections wait: open files have run out; raise the limit (ulimit -n)"
                              : "a connection could not be accepted",
               {{"door", section_}, {"reason", error.message()}, {"not_logged", suppressed}});
}

}  // namespace sluice::broker
