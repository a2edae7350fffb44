// A mutex, its scope and its condition, with the attributes that let clang prove who may touch what (-Wthread-safety).
//
// Lock order in storage/, outermost first; a thread that holds one takes only later ones:
//   LogStoreImpl::mutex_ -> WriteBehind::mutex_ -> Committer::mutex_ -> JournalFiles::mutex_ -> ShardLogImpl::mutex_ ->
//   Segment::mutex_ -> SegmentStore::mutex_ -> TailBudget::mutex_
// No lock is held over a write, a sync or a callback; Segment::mutex_ alone is held while a file is opened.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define SLUICE_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define SLUICE_THREAD_ATTRIBUTE(x)
#endif
#define SLUICE_GUARDED_BY(x) SLUICE_THREAD_ATTRIBUTE(guarded_by(x))
#define SLUICE_REQUIRES(...) SLUICE_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define SLUICE_EXCLUDES(...) SLUICE_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))

namespace sluice::storage {

class SLUICE_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void Lock() SLUICE_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void Unlock() SLUICE_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  friend class Condition;
  std::mutex mutex_;
};

/// Holds the mutex for its scope; Unlock and Lock again in between where a call must run without it.
class SLUICE_THREAD_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) SLUICE_THREAD_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() SLUICE_THREAD_ATTRIBUTE(release_capability()) {
    if (held_) mutex_.Unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void Unlock() SLUICE_THREAD_ATTRIBUTE(release_capability()) {
    mutex_.Unlock();
    held_ = false;
  }
  void Lock() SLUICE_THREAD_ATTRIBUTE(acquire_capability()) {
    mutex_.Lock();
    held_ = true;
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

/// A condition variable. Waits may return early: callers loop.
class Condition {
 public:
  void Wait(Mutex& mutex) SLUICE_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  void WaitFor(Mutex& mutex, std::chrono::nanoseconds limit) SLUICE_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait_for(lock, limit);
    lock.release();
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace sluice::storage
