// The sessions of all loops, and their beginning and end.
#include "broker/api/native/native_door.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <latch>
#include <vector>

#include "broker/api/acceptor.h"
#include "broker/api/native/native_loop.h"
#include "broker/api/native/session.h"
#include "protocol/check.h"
#include "storage/env/env.h"

namespace sluice::broker::native {
class NativeDoor::Impl {
 public:
  Impl(const NativeDoorParts& parts, NativeDoorOptions options)
      : loops_(parts.shards.loops()),
        delivery_thread_(1),
        shared_{.context = {parts.catalog, parts.shards, parts.holds, parts.store, parts.resharder, parts.groups,
                            parts.clock, parts.keyring, parts.append_options, parts.delivery},
                .appends = parts.appends,
                .reads = parts.reads,
                .clock = parts.clock,
                .options = std::move(options),
                .run_delivery =
                    [this](std::move_only_function<void()> task) {
                      boost::asio::post(delivery_thread_, [task = std::move(task)]() mutable { task(); });
                    }},
        acceptor_(loops_, loops_.size(), parts.clock, "native") {
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      native_loops_.push_back(std::make_unique<NativeLoop>(shared_, loops_.loop(i), parts.metrics.loop(i)));
    }
  }

  Status Listen() { return acceptor_.Listen(shared_.options.address, shared_.options.port); }
  std::uint16_t port() const { return acceptor_.port(); }

  void Start(Shards& shards);
  void StopAccepting();
  bool Finish(std::int64_t timeout_ms);

 private:
  void Accepted(std::size_t loop_index, Acceptor::Socket socket);
  void OnEachLoop(const std::function<void(NativeLoop&)>& task);

  EventLoops& loops_;
  boost::asio::thread_pool delivery_thread_;
  DoorShared shared_;
  std::vector<std::unique_ptr<NativeLoop>> native_loops_;  // constant after construction
  Acceptor acceptor_;
};

void NativeDoor::Impl::Start(Shards& shards) {
  for (std::size_t i = 0; i < native_loops_.size(); ++i) {
    loops_.loop(i).Post([&loop = *native_loops_[i], &shards = shards.at(i)] {
      shards.AddPublishedHook([&loop] { loop.FlushNow(); });
      loop.StartTicks();
    });
  }
  acceptor_.Start([this](std::size_t loop_index, Acceptor::Socket socket) { Accepted(loop_index, std::move(socket)); });
}

void NativeDoor::Impl::Accepted(std::size_t loop_index, Acceptor::Socket socket) {
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
  acceptor_.Stop();
  OnEachLoop([](NativeLoop& loop) { loop.BeginStop(); });
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
