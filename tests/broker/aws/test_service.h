// A service made for the tests: what a client can ask of the port without any real operation behind it.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "broker/api/aws/operation.h"

namespace sluice::broker::aws {

/// Calls of the operation Hold, until the test answers them.
class HeldCalls {
 public:
  void Add(CallPtr call) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return calls_.size();
  }
  std::vector<CallPtr> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(calls_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<CallPtr> calls_;
};

/// "Test_1": Echo answers {"Text": .., "Account": .., "Region": ..}; EchoBlocking the same from the blocking pool;
/// Empty has no output; Refuse fails; Hold keeps the call in `held`.
std::vector<Service> TestServices(HeldCalls& held);

}  // namespace sluice::broker::aws
