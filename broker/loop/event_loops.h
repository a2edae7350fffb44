// The event loops: one thread each, over one epoll; shards and connections belong to one of them for life.
//
// Threads: made and stopped by one thread; loop(i), Post and RunBlocking from any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "broker/loop/loop_timer.h"
#include "broker/loop/socket_poller.h"
#include "protocol/ids.h"
#include "storage/executor.h"

namespace boost::asio {
class io_context;
}

namespace sluice::broker {

/// A turn of a loop: what its sockets are ready for, what others have posted, timers that are due, and what all these
/// have posted to their own loop.
class EventLoop : public storage::Executor {
 public:
  virtual SocketPoller& poller() = 0;
  virtual LoopTimers& timers() = 0;
  virtual bool InLoop() const = 0;  // true on the loop's own thread
  virtual std::size_t index() const = 0;
};

class EventLoops {
 public:
  /// `count` 0: one per core less one, at least one. Measured: when a large group commits on its own thread while the
  /// loop takes the next requests, 64 KiB batches reach 2.42 GB/s on two cores against 1.97 GB/s without; a loop on the
  /// last core would take that core from the commit thread.
  explicit EventLoops(std::size_t count);
  ~EventLoops();

  std::size_t size() const;
  EventLoop& loop(std::size_t index);
  /// The loop that owns a shard; fixed for a given number of loops.
  EventLoop& OwnerOf(ShardId id);
  std::size_t OwnerIndexOf(ShardId id) const;
  /// Where listening sockets and the admin port wait, on a thread of their own.
  boost::asio::io_context& doors();
  /// Runs `task` on a thread that may block (disk reads, metadata); a small pool, for short work.
  void RunBlocking(std::move_only_function<void()> task);
  /// Waits until every blocking task that was handed over before has run.
  void DrainBlocking();
  /// Waits for the blocking tasks and ends all threads; tasks that are posted meanwhile are dropped. Called once, not
  /// from a loop.
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::broker
