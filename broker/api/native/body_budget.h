// Memory for the bodies that are on their way, over all connections: a body that has not come completely takes its
// whole size from here before it is received, and a connection that finds no room is not read until there is some.
// Bodies that arrive in one piece with their header pass by: they wait for nobody.
//
// Room is given in the order of asking, so that a large body is not starved by small ones.
//
// Threads: any; own lock. `resume` is posted to the loop of who asked.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

#include "broker/loop/event_loops.h"

namespace sluice::broker::native {

class BodyBudget {
 public:
  /// `bytes_max` holds at least one body of any size that is taken.
  explicit BodyBudget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  /// True: the bytes are the caller's until it gives them back. False: `resume` runs on `loop` when they are; the
  /// caller gives them back then even if it has no use for them any more.
  bool Take(EventLoop& loop, const void* who, std::uint64_t bytes, std::move_only_function<void()> resume);
  void Give(std::uint64_t bytes);
  /// Drops what `who` waits for; false where it has been given already, and `resume` is on its way.
  bool Forget(const void* who);
  /// Somebody waits for room.
  bool contended() const { return contended_.load(std::memory_order_relaxed); }

 private:
  struct Waiting {
    EventLoop* loop;
    const void* who;
    std::uint64_t bytes;
    std::move_only_function<void()> resume;
  };
  void GiveToWaiting();

  const std::uint64_t bytes_max_;
  std::atomic<bool> contended_{false};
  std::mutex mutex_;
  std::uint64_t bytes_ = 0;      // guarded by mutex_
  std::deque<Waiting> waiting_;  // guarded by mutex_
};

}  // namespace sluice::broker::native
