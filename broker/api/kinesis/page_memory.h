// Memory for the pages of GetRecords and SubscribeToShard that are being made, over all connections: where many are,
// each gets less of it. A page may hold fewer records than were asked for, so that none is refused and none waits.
//
// Threads: any.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace sluice::broker::kinesis {

/// What one page holds at most, keys and data together; a first record is given whatever its size.
inline constexpr std::uint64_t kPageBytesMax = 10u << 20;
/// What a page may hold however many others there are.
inline constexpr std::uint64_t kPageBytesMin = 64u << 10;

class PageMemory {
 public:
  explicit PageMemory(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  friend class PageShare;
  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> bytes_{0};
};

/// One page's part, a quarter of what is free within the bounds above, or the page's own; gives it back at its end.
/// `memory` outlives it.
class PageShare {
 public:
  explicit PageShare(PageMemory& memory, std::uint64_t bytes_max = kPageBytesMax) : memory_(memory) {
    const std::uint64_t used = memory.bytes();
    const std::uint64_t free = memory.bytes_max_ - std::min(used, memory.bytes_max_);
    bytes_ = std::clamp(free / 4, kPageBytesMin, bytes_max);
    memory.bytes_.fetch_add(bytes_, std::memory_order_relaxed);
  }
  ~PageShare() { memory_.bytes_.fetch_sub(bytes_, std::memory_order_relaxed); }
  PageShare(const PageShare&) = delete;
  PageShare& operator=(const PageShare&) = delete;

  std::uint64_t bytes() const { return bytes_; }

 private:
  PageMemory& memory_;
  std::uint64_t bytes_;
};

}  // namespace sluice::broker::kinesis
