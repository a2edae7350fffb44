// Objects on their way into one bucket, several at a time: what takes time is the store's disk or network, and it takes
// no longer for some than for one.
//
// Threads: one caller; each object is put by a thread of the pool. Memory: none but the spools'.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "broker/delivery/object_store.h"
#include "sluice/status.h"

namespace sluice::delivery {

class ConcurrentPuts {
 public:
  /// The store outlives it.
  ConcurrentPuts(ObjectStore& objects, std::string bucket);
  /// Returns when nothing is on its way any more.
  ~ConcurrentPuts();

  /// The number of a place that is free, from 0; waits for one. What failed first, where a put has failed.
  Result<std::size_t> Reserve();
  /// Begins to put the spool under `key`, from the place that was reserved last; nullptr: gives the place back.
  void Put(std::size_t slot, std::string key, std::unique_ptr<ObjectSpool> spool);
  /// Waits for all of them, and says what failed first.
  Status Wait();

 private:
  struct Slot {
    std::thread thread;
    std::string key;
    std::unique_ptr<ObjectSpool> spool;  // set: it is to be put
    bool busy = false;
  };
  void Run(Slot& slot);

  ObjectStore& objects_;
  const std::string bucket_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Slot>> slots_;  // what they hold is guarded by mutex_
  Status failed_;                             // guarded by mutex_
  bool stopping_ = false;                     // guarded by mutex_
};

}  // namespace sluice::delivery
