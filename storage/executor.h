// How storage hands work back to the thread that asked: the broker implements it over an event loop, tests by hand.
#pragma once

#include <functional>

namespace sluice::storage {

class Executor {
 public:
  virtual ~Executor() = default;
  /// Runs `task` later, on the executor's own thread, in the order of the calls from one thread. Callable from any
  /// thread.
  virtual void Post(std::move_only_function<void()> task) = 0;
};

}  // namespace sluice::storage
