// Input buffers of one event loop: a connection has one only while bytes are there, so that an idle one costs nothing.
// Threads: the loop's own.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace sluice::broker::native {

class BufferPool {
 public:
  inline static constexpr std::size_t kBufferBytes = 64u << 10;

  std::unique_ptr<char[]> Take() {
    if (spare_.empty()) return std::make_unique_for_overwrite<char[]>(kBufferBytes);
    auto buffer = std::move(spare_.back());
    spare_.pop_back();
    return buffer;
  }
  void Give(std::unique_ptr<char[]> buffer) {
    if (spare_.size() < kSpareMax) spare_.push_back(std::move(buffer));
  }

 private:
  inline static constexpr std::size_t kSpareMax = 16;
  std::vector<std::unique_ptr<char[]>> spare_;
};

}  // namespace sluice::broker::native
