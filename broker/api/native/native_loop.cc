// Flushing together, ticking, stopping: what a loop does for all its sessions.
#include "broker/api/native/native_loop.h"

#include <chrono>
#include <utility>

#include "broker/api/native/session.h"
#include "protocol/check.h"
#include "storage/env/env.h"

namespace sluice::broker::native {
namespace {

constexpr std::chrono::milliseconds kTick{250};

}  // namespace

NativeLoop::NativeLoop(DoorShared& shared, EventLoop& loop, LoopMetrics& metrics)
    : shared_(shared),
      loop_(loop),
      metrics_(metrics),
      to_flush_(loop, &Session::Flush),
      timer_(loop.timers()),
      now_ms_(shared.clock.MonotonicNs() / 1'000'000) {}

NativeLoop::~NativeLoop() = default;

void NativeLoop::Add(boost::intrusive_ptr<Session> session) {
  session->place = sessions_.size();
  sessions_.push_back(session);
  metrics_.connections_opened.Add();
  session->Start();
  if (stopping_) session->BeginStop();
}

void NativeLoop::Remove(Session& session) {
  SLUICE_CHECK(session.place < sessions_.size() && sessions_[session.place].get() == &session);
  const boost::intrusive_ptr<Session> keep = sessions_[session.place];
  sessions_.back()->place = session.place;
  std::swap(sessions_[session.place], sessions_.back());
  sessions_.pop_back();
  metrics_.connections_closed.Add();
  shared_.connections.Remove();
  // The last reference must not go while a method of the session runs.
  loop_.Post([keep] {});
}

void NativeLoop::FlushLater(Session& session) { to_flush_.Add(boost::intrusive_ptr<Session>(&session)); }

void NativeLoop::StartTicks() {
  timer_.Start(kTick, [this] {
    Tick();
    StartTicks();
  });
}

void NativeLoop::Tick() {
  now_ms_ = shared_.clock.MonotonicNs() / 1'000'000;
  // From the back: a session that closes is replaced by the last one, which has been looked at.
  for (std::size_t i = sessions_.size(); i > 0; --i) {
    if (i <= sessions_.size()) sessions_[i - 1]->CheckDeadlines();
  }
}

void NativeLoop::BeginStop() {
  stopping_ = true;
  for (std::size_t i = sessions_.size(); i > 0; --i) sessions_[i - 1]->BeginStop();
}

void NativeLoop::CloseAll() {
  timer_.Cancel();
  while (!sessions_.empty()) sessions_.back()->Close();
}

}  // namespace sluice::broker::native
