// Ticking and stopping: what a loop does for all its connections.
#include "broker/api/aws/aws_loop.h"

#include <chrono>
#include <utility>

#include "broker/api/aws/connection.h"
#include "protocol/check.h"

namespace sluice::broker::aws {
namespace {

constexpr std::chrono::milliseconds kTick{250};

}  // namespace

AwsLoop::AwsLoop(DoorShared& shared, EventLoop& loop)
    : shared_(shared),
      loop_(loop),
      gateway_({.loops = shared.parts.loops,
                .clock = shared.parts.env.clock(),
                .random = shared.parts.env.random(),
                .services = shared.services,
                .auth = shared.options.auth},
               loop),
      to_flush_(loop, &Connection::FlushNow),
      timer_(loop.timers()),
      now_ms_(shared.parts.env.clock().MonotonicNs() / 1'000'000) {}

AwsLoop::~AwsLoop() = default;

void AwsLoop::Add(std::shared_ptr<Connection> connection) {
  connection->place = connections_.size();
  connections_.push_back(connection);
  metrics_.connections_opened.Add();
  connection->Start();
  if (stopping_) connection->BeginStop();
}

void AwsLoop::Remove(Connection& connection) {
  SLUICE_CHECK(connection.place < connections_.size() && connections_[connection.place].get() == &connection);
  const std::shared_ptr<Connection> keep = connections_[connection.place];
  connections_.back()->place = connection.place;
  std::swap(connections_[connection.place], connections_.back());
  connections_.pop_back();
  metrics_.connections_closed.Add();
  shared_.connections.Remove();
  // The last reference must not go while a method of the connection runs.
  loop_.Post([keep] {});
}

void AwsLoop::FlushLater(Connection& connection) { to_flush_.Add(connection.shared_from_this()); }

void AwsLoop::StartTicks() {
  timer_.Start(kTick, [this] {
    Tick();
    StartTicks();
  });
}

void AwsLoop::Tick() {
  now_ms_ = shared_.parts.env.clock().MonotonicNs() / 1'000'000;
  // From the back: a connection that closes is replaced by the last one, which has been looked at.
  for (std::size_t i = connections_.size(); i > 0; --i) {
    if (i <= connections_.size()) connections_[i - 1]->CheckDeadlines();
  }
}

void AwsLoop::BeginStop() {
  stopping_ = true;
  for (std::size_t i = connections_.size(); i > 0; --i) {
    if (i <= connections_.size()) connections_[i - 1]->BeginStop();
  }
}

void AwsLoop::CloseAll() {
  timer_.Cancel();
  while (!connections_.empty()) connections_.back()->Close();
}

}  // namespace sluice::broker::aws
