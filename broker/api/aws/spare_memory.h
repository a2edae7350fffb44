// Memory of small bodies and batches, used again: they are just larger than what the allocator keeps at hand, and
// taking and freeing the two of a small put was a fifteenth of all it costs (docs/performance.md, row 11).
//
// Threads: each has its own.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace sluice::broker::aws {

class SpareMemory {
 public:
  static constexpr std::size_t kBytes = 4u << 10;  // of each piece

  /// An empty string with room for kBytes.
  static std::string Take() {
    std::string memory;
    if (spare_.empty()) {
      memory.reserve(kBytes);
    } else {
      memory = std::move(spare_.back());
      spare_.pop_back();
    }
    return memory;
  }
  /// Keeps the memory where it came from Take.
  static void Give(std::string memory) {
    if (memory.capacity() != kBytes || spare_.size() >= kPiecesMax) return;
    memory.clear();
    spare_.push_back(std::move(memory));
  }

 private:
  static constexpr std::size_t kPiecesMax = 64;

  inline static thread_local std::vector<std::string> spare_;
};

}  // namespace sluice::broker::aws
