// One accept in flight at a time, and a timer for the pause.
#include "broker/api/acceptor.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <future>
#include <utility>

#include "broker/api/listen.h"
#include "protocol/check.h"

namespace sluice::broker {
namespace {

constexpr std::chrono::milliseconds kPause{100};

}  // namespace

class Acceptor::Impl : public std::enable_shared_from_this<Acceptor::Impl> {
 public:
  Impl(EventLoops& loops, std::size_t loops_used, storage::Clock& clock, std::string_view section)
      : loops_(loops),
        loops_used_(loops_used),
        clock_(clock),
        section_(section),
        acceptor_(loops.doors()),
        pause_(loops.doors()),
        failures_(section) {
    SLUICE_CHECK(loops_used >= 1 && loops_used <= loops.size());
  }

  Status Listen(const std::string& address, std::uint16_t port, std::string_view port_setting) {
    Status status = OpenListener(acceptor_, address, port, section_, port_setting);
    if (status.ok()) port_ = acceptor_.local_endpoint().port();
    return status;
  }
  std::uint16_t port() const { return port_; }

  void Start(Accepted accepted) {
    boost::asio::post(loops_.doors(), [me = shared_from_this(), accepted = std::move(accepted)]() mutable {
      me->accepted_ = std::move(accepted);
      me->Accept();
    });
  }
  void Stop();

 private:
  void Accept();
  void Pause();

  EventLoops& loops_;
  const std::size_t loops_used_;
  storage::Clock& clock_;
  const std::string section_;
  std::uint16_t port_ = 0;  // constant after Listen
  // Used on the thread of the doors after Start:
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  AcceptFailureLog failures_;
  Accepted accepted_;
  std::size_t next_loop_ = 0;
};

void Acceptor::Impl::Accept() {
  const std::size_t index = next_loop_++ % loops_used_;
  acceptor_.async_accept([me = shared_from_this(), index](const boost::system::error_code& error, Socket socket) {
    if (error == boost::asio::error::operation_aborted || !me->acceptor_.is_open()) return;
    if (error) {
      me->failures_.Write(error, me->clock_.MonotonicNs());
      return me->Pause();
    }
    me->accepted_(index, std::move(socket));
    me->Accept();
  });
}

void Acceptor::Impl::Pause() {
  pause_.expires_after(kPause);
  pause_.async_wait([me = shared_from_this()](const boost::system::error_code& cancelled) {
    if (!cancelled) me->Accept();
  });
}

void Acceptor::Impl::Stop() {
  std::promise<void> stopped;
  boost::asio::post(loops_.doors(), [this, &stopped] {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    accepted_ = nullptr;
    stopped.set_value();
  });
  stopped.get_future().wait();
}

Acceptor::Acceptor(EventLoops& loops, std::size_t loops_used, storage::Clock& clock, std::string_view section)
    : impl_(std::make_shared<Impl>(loops, loops_used, clock, section)) {}
Acceptor::~Acceptor() = default;

Status Acceptor::Listen(const std::string& address, std::uint16_t port, std::string_view port_setting) {
  return impl_->Listen(address, port, port_setting);
}
std::uint16_t Acceptor::port() const { return impl_->port(); }
void Acceptor::Start(Accepted accepted) { impl_->Start(std::move(accepted)); }
void Acceptor::Stop() { impl_->Stop(); }

}  // namespace sluice::broker
