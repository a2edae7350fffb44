// Documents whose memory is used again by later requests. Threads: any; own lock.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "protocol/aws/document.h"

namespace sluice::broker::aws {

class DocumentPool {
 public:
  std::unique_ptr<protocol::aws::Document> Take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<protocol::aws::Document>();
    auto document = std::move(free_.back());
    free_.pop_back();
    return document;
  }
  /// `text_bytes`: the longest text it has held; readers take several times as much memory.
  void Give(std::unique_ptr<protocol::aws::Document> document, std::size_t text_bytes) {
    const std::lock_guard lock(mutex_);
    if (free_.size() < kDocumentsMax && text_bytes <= kTextBytesMax) free_.push_back(std::move(document));
  }

 private:
  static constexpr std::size_t kDocumentsMax = 64;
  static constexpr std::size_t kTextBytesMax = 1u << 20;

  std::mutex mutex_;
  std::vector<std::unique_ptr<protocol::aws::Document>> free_;  // guarded by mutex_
};

}  // namespace sluice::broker::aws
