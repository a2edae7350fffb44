// A file of the operating system behind the File interface.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "storage/env/env.h"
#include "storage/env/posix_calls.h"

namespace sluice::storage {

/// Whether flushes go on. A flush waits behind everything that the disk was given before it, so reads ask for less at a
/// time meanwhile. Threads: any.
class FlushActivity {
 public:
  void Note() { last_ns_.store(NowNs(), std::memory_order_relaxed); }
  /// True from a flush's beginning on, for the time in which somebody who waits for flushes makes the next one.
  bool recent() const { return NowNs() - last_ns_.load(std::memory_order_relaxed) < kRecentNs; }

 private:
  static constexpr std::int64_t kRecentNs = 20'000'000;
  static std::int64_t NowNs() {
    return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  }

  std::atomic<std::int64_t> last_ns_ = -kRecentNs;
};

/// Takes the descriptor; `path` is for messages. `flushes` is that of all files on the same disks.
std::unique_ptr<File> NewPosixFile(FileDescriptor fd, std::string path, std::shared_ptr<FlushActivity> flushes);

}  // namespace sluice::storage
