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

/// Calls of the operation Stream, whose answers the test writes, and what they were told.
struct HeldStreams {
  struct One {
    CallPtr call;
    std::shared_ptr<AnswerStream> stream;
    std::vector<StreamNews> news;  // on the call's loop
  };
  std::mutex mutex;
  std::vector<std::shared_ptr<One>> streams;  // guarded by mutex
};

/// "Test_1": Echo answers {"Text": .., "Account": .., "Region": ..}; EchoBlocking the same from the blocking pool;
/// Empty has no output; Refuse fails; Hold keeps the call in `held`; Stream
/// answers with a stream of content type "text/plain", which is kept where there is a place for it.
std::vector<Service> TestServices(HeldCalls& held, HeldStreams* streams = nullptr);

}  // namespace sluice::broker::aws
