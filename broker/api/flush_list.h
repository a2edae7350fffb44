// Connections of one event loop that have gathered something to send: each is flushed once, at the end of the turn, all
// in one task of the loop.
//
// Threads: the loop's own.
#pragma once

#include <utility>
#include <vector>

#include "broker/loop/event_loops.h"

namespace sluice::broker {

/// `Pointer` counts references to a connection, which has a flag `flush_awaited` that is this list's alone.
template <typename Pointer>
class FlushList {
 public:
  using Flush = void (Pointer::element_type::*)();

  /// Outlives the tasks of the loop.
  FlushList(EventLoop& loop, Flush flush) : loop_(loop), flush_(flush) {}

  void Add(Pointer connection) {
    if (std::exchange(connection->flush_awaited, true)) return;
    waiting_.push_back(std::move(connection));
    if (std::exchange(posted_, true)) return;
    loop_.Post([this] {
      posted_ = false;
      FlushNow();
    });
  }

  void FlushNow() {
    if (waiting_.empty()) return;
    std::vector<Pointer> flushed;
    flushed.swap(waiting_);
    for (const Pointer& connection : flushed) {
      connection->flush_awaited = false;
      ((*connection).*flush_)();
    }
    flushed.clear();
    if (waiting_.empty()) waiting_.swap(flushed);  // keeps the memory
  }

 private:
  EventLoop& loop_;
  const Flush flush_;
  std::vector<Pointer> waiting_;
  bool posted_ = false;
};

}  // namespace sluice::broker
