// The listener of the native protocol: accepts on the first loop and gives connections to the loops in turn.
#include "broker/api/native/native_door.h"

#include <fmt/format.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <latch>
#include <vector>

#include "broker/api/listen.h"
#include "broker/api/native/native_loop.h"
#include "broker/api/native/session.h"
#include "protocol/check.h"
#include "storage/env/env.h"

namespace sluice::broker::native {
namespace {

using boost::asio::ip::tcp;
using Socket = boost::asio::basic_stream_socket<tcp, boost::asio::io_context::executor_type>;

constexpr std::chrono::milliseconds kAcceptPause{100};  // after a failed accept: most often no file descriptors

}  // namespace

class NativeDoor::Impl {
 public:
  Impl(const NativeDoorParts& parts, NativeDoorOptions options)
      : loops_(parts.shards.loops()),
        delivery_thread_(1),
        shared_{
            .context = {parts.catalog, parts.shards, parts.holds, parts.store, parts.append_options, parts.delivery},
            .appends = parts.appends,
            .reads = parts.reads,
            .clock = parts.clock,
            .options = std::move(options),
            .run_delivery =
                [this](std::move_only_function<void()> task) {
                  boost::asio::post(delivery_thread_, [task = std::move(task)]() mutable { task(); });
                }},
        acceptor_(loops_.loop(0).context()),
        accept_pause_(loops_.loop(0).context()) {
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      native_loops_.push_back(std::make_unique<NativeLoop>(shared_, loops_.loop(i), parts.metrics.loop(i)));
    }
  }

  Status Listen() {
    Status status = OpenListener(acceptor_, shared_.options.address, shared_.options.port, "native");
    if (status.ok()) port_ = acceptor_.local_endpoint().port();
    return status;
  }
  std::uint16_t port() const { return port_; }

  void Start(Shards& shards);
  void StopAccepting();
  bool Finish(std::int64_t timeout_ms);

 private:
  void Accept();
  void Accepted(std::size_t loop_index, Socket socket);
  void OnEachLoop(const std::function<void(NativeLoop&)>& task);

  EventLoops& loops_;
  boost::asio::thread_pool delivery_thread_;
  DoorShared shared_;
  std::vector<std::unique_ptr<NativeLoop>> native_loops_;  // constant after construction
  tcp::acceptor acceptor_;                                 // used on the first loop
  std::uint16_t port_ = 0;                                 // constant after Listen
  AcceptFailureLog accept_failures_{"native"};             // used on the first loop
  boost::asio::steady_timer accept_pause_;                 // used on the first loop
  std::size_t next_loop_ = 0;                              // used on the first loop
};

void NativeDoor::Impl::Start(Shards& shards) {
  for (std::size_t i = 0; i < native_loops_.size(); ++i) {
    loops_.loop(i).Post([&loop = *native_loops_[i], &shards = shards.at(i)] {
      shards.AddPublishedHook([&loop] { loop.FlushNow(); });
      loop.StartTicks();
    });
  }
  loops_.loop(0).Post([this] { Accept(); });
}

void NativeDoor::Impl::Accept() {
  const std::size_t index = next_loop_++ % loops_.size();
  acceptor_.async_accept(loops_.loop(index).context(),
                         [this, index](const boost::system::error_code& error, Socket socket) {
                           if (error == boost::asio::error::operation_aborted || !acceptor_.is_open()) return;
                           if (!error) {
                             Accepted(index, std::move(socket));
                             return Accept();
                           }
                           accept_failures_.Write(error, shared_.clock.MonotonicNs());
                           accept_pause_.expires_after(kAcceptPause);
                           accept_pause_.async_wait([this](const boost::system::error_code& cancelled) {
                             if (!cancelled) Accept();
                           });
                         });
}

void NativeDoor::Impl::Accepted(std::size_t loop_index, Socket socket) {
  NativeLoop& loop = *native_loops_[loop_index];
  if (!shared_.connections.Add(shared_.options.connections_max)) {
    loops_.loop(loop_index).Post([&loop] { loop.metrics().connections_refused.Add(); });
    return;  // the socket closes
  }
  loops_.loop(loop_index).Post([&loop, socket = std::move(socket)]() mutable {
    loop.Add(boost::intrusive_ptr<Session>(new Session(loop, socket.release())));
  });
}

void NativeDoor::Impl::OnEachLoop(const std::function<void(NativeLoop&)>& task) {
  std::latch done(static_cast<std::ptrdiff_t>(native_loops_.size()));
  for (std::size_t i = 0; i < native_loops_.size(); ++i) {
    loops_.loop(i).Post([&task, &done, &loop = *native_loops_[i]] {
      task(loop);
      done.count_down();
    });
  }
  done.wait();
}

void NativeDoor::Impl::StopAccepting() {
  OnEachLoop([this](NativeLoop& loop) {
    if (&loop.loop() == &loops_.loop(0)) {
      boost::system::error_code ignored;
      acceptor_.close(ignored);
      accept_pause_.cancel();
    }
    loop.BeginStop();
  });
}

bool NativeDoor::Impl::Finish(std::int64_t timeout_ms) {
  const bool drained = shared_.connections.WaitForNone(std::chrono::milliseconds(timeout_ms));
  OnEachLoop([](NativeLoop& loop) { loop.CloseAll(); });
  delivery_thread_.join();
  return drained;
}

NativeDoor::NativeDoor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NativeDoor::~NativeDoor() = default;

Result<std::unique_ptr<NativeDoor>> NativeDoor::Start(NativeDoorParts parts, NativeDoorOptions options) {
  auto impl = std::make_unique<Impl>(parts, std::move(options));
  if (Status status = impl->Listen(); !status.ok()) return Error(status);
  impl->Start(parts.shards);
  return std::unique_ptr<NativeDoor>(new NativeDoor(std::move(impl)));
}

std::uint16_t NativeDoor::port() const { return impl_->port(); }
void NativeDoor::StopAccepting() { impl_->StopAccepting(); }
bool NativeDoor::Finish(std::int64_t timeout_ms) { return impl_->Finish(timeout_ms); }

}  // namespace sluice::broker::native
