// The event loops: one thread and one io_context each; shards and connections belong to one of them for life.
//
// Threads: Start and Stop by one thread; loop(i) and Post from any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "protocol/ids.h"
#include "storage/executor.h"

namespace boost::asio {
class io_context;
}

namespace sluice::broker {

class EventLoop : public storage::Executor {
 public:
  virtual boost::asio::io_context& context() = 0;
  virtual bool InLoop() const = 0;  // true on the loop's own thread
};

class EventLoops {
 public:
  /// `count` 0: one per core, less the one that the commit and background threads use, at least one.
  explicit EventLoops(std::size_t count);
  ~EventLoops();

  std::size_t size() const;
  EventLoop& loop(std::size_t index);
  /// The loop that owns a shard; fixed for a given number of loops.
  EventLoop& OwnerOf(ShardId id);
  /// Runs `task` on a thread that may block (disk reads, metadata); a small pool, for short work.
  void RunBlocking(std::move_only_function<void()> task);
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::broker
