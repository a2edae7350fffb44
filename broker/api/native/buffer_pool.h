// Memory of one event loop: input buffers, which a connection has only while bytes are there, so that an idle one costs
// nothing; and the batches that are received.
// Threads: the loop's own.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "protocol/frame.h"

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
  protocol::FrameArena& frames() { return frames_; }

 private:
  inline static constexpr std::size_t kSpareMax = 16;
  std::vector<std::unique_ptr<char[]>> spare_;
  protocol::FrameArena frames_;
};

}  // namespace sluice::broker::native
