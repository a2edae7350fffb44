// One accept in flight at a time, and a timer for the pause. A connection that got a descriptor kept for files waits
// for a lower one.
#include "broker/api/acceptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <utility>

#include "broker/api/listen.h"
#include "protocol/check.h"
#include "storage/env/posix_env.h"

namespace sluice::broker {
namespace {

constexpr std::chrono::milliseconds kPause{100};

/// The same connection under the lowest descriptor that is free.
Acceptor::Socket Lowered(Acceptor::Socket socket) {
  const int fd = ::fcntl(socket.native_handle(), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return socket;
  Acceptor::Socket lowered(socket.get_executor());
  boost::system::error_code error;
  lowered.assign(boost::asio::ip::tcp::v4(), fd, error);  // doors look at the descriptor only
  if (!error) return lowered;
  ::close(fd);
  return socket;
}

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
        failures_(section),
        files_end_(storage::ConnectionFilesEnd()) {
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
  void Take(std::size_t loop, Socket socket);
  void Pause(std::move_only_function<void()> then);

  EventLoops& loops_;
  const std::size_t loops_used_;
  storage::Clock& clock_;
  const std::string section_;
  std::uint16_t port_ = 0;  // constant after Listen
  // Used on the thread of the doors after Start:
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  AcceptFailureLog failures_;
  const int files_end_;
  Accepted accepted_;
  std::size_t next_loop_ = 0;
};

void Acceptor::Impl::Accept() {
  const std::size_t index = next_loop_++ % loops_used_;
  acceptor_.async_accept([me = shared_from_this(), index](const boost::system::error_code& error, Socket socket) {
    if (error == boost::asio::error::operation_aborted || !me->acceptor_.is_open()) return;
    if (error) {
      me->failures_.Write(error, me->clock_.MonotonicNs());
      return me->Pause([me] { me->Accept(); });
    }
    me->Take(index, std::move(socket));
  });
}

void Acceptor::Impl::Take(std::size_t loop, Socket socket) {
  if (socket.native_handle() < files_end_) {
    accepted_(loop, std::move(socket));
    return Accept();
  }
  failures_.Write(boost::asio::error::no_descriptors, clock_.MonotonicNs());
  Pause([me = shared_from_this(), loop, socket = std::move(socket)]() mutable {
    me->Take(loop, Lowered(std::move(socket)));
  });
}

void Acceptor::Impl::Pause(std::move_only_function<void()> then) {
  pause_.expires_after(kPause);
  pause_.async_wait([then = std::move(then)](const boost::system::error_code& cancelled) mutable {
    if (!cancelled) then();
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
