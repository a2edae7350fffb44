// Memory for the bodies of requests, or for answers, over all connections of the door: what does not fit is refused,
// not waited for, so that connections that each hold a part cannot wait for one another. A part is kept for connections
// that hold little: a few that send large bodies slowly do not shut out the others.
//
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace sluice::broker::aws {

class BodyMemory {
 public:
  explicit BodyMemory(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
  /// Of the last quarter, a connection gets something while it holds no more than this.
  static constexpr std::uint64_t kLittleBytes = 1u << 20;

  /// `held`: what the connection holds with these bytes.
  bool Take(std::uint64_t bytes, std::uint64_t held) {
    const std::uint64_t limit = held <= kLittleBytes ? bytes_max_ : bytes_max_ - bytes_max_ / 4;
    if (bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limit) return true;
    Give(bytes);
    return false;
  }
  /// Whether there is room or not.
  void Add(std::uint64_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void Give(std::uint64_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  /// What is left is for connections that hold little.
  bool full() const { return bytes() > bytes_max_ - bytes_max_ / 4; }

 private:
  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> bytes_{0};
};

/// What one body has taken; gives it back at its end. One thread at a time.
class BodyShare {
 public:
  BodyShare() = default;
  explicit BodyShare(std::shared_ptr<BodyMemory> memory) : memory_(std::move(memory)) {}
  BodyShare(BodyShare&& other) noexcept : memory_(std::move(other.memory_)), bytes_(std::exchange(other.bytes_, 0)) {}
  BodyShare& operator=(BodyShare&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~BodyShare() { Clear(); }

  /// False where there is no room for as much more; `beside` is what the connection's other bodies hold.
  bool Take(std::uint64_t bytes, std::uint64_t beside = 0) {
    if (!memory_->Take(bytes, bytes_ + bytes + beside)) return false;
    bytes_ += bytes;
    return true;
  }
  void Clear() {
    if (bytes_ > 0) memory_->Give(std::exchange(bytes_, 0));
  }

 private:
  std::shared_ptr<BodyMemory> memory_;
  std::uint64_t bytes_ = 0;
};

/// What the answers of one connection hold until they are sent. A little is not counted: where clients take what they
/// get, loops share nothing for it. One thread at a time.
class AnswerShare {
 public:
  static constexpr std::uint64_t kUncountedBytes = 128u << 10;

  explicit AnswerShare(std::shared_ptr<BodyMemory> memory) : memory_(std::move(memory)) {}
  AnswerShare(const AnswerShare&) = delete;
  AnswerShare& operator=(const AnswerShare&) = delete;
  ~AnswerShare() { Set(0); }

  /// To `bytes` in all. False where there is no room for that, and nothing changes.
  bool Grow(std::uint64_t bytes) {
    if (bytes <= kUncountedBytes || bytes <= counted_) return true;
    if (!memory_->Take(bytes - counted_, bytes)) return false;
    counted_ = bytes;
    return true;
  }
  /// What they hold now, whether there is room for it or not.
  void Set(std::uint64_t bytes) {
    if (bytes <= kUncountedBytes) bytes = 0;
    if (bytes > counted_) memory_->Add(bytes - counted_);
    if (bytes < counted_) memory_->Give(counted_ - bytes);
    counted_ = bytes;
  }
  /// Some of it should be sent before there is more.
  bool waits() const { return counted_ > 0 && memory_->full(); }

 private:
  const std::shared_ptr<BodyMemory> memory_;
  std::uint64_t counted_ = 0;
};

}  // namespace sluice::broker::aws
