// The client's side of a streaming answer without a connection: what was written, message by message, and what the
// operation is told.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "broker/api/aws/operation.h"
#include "tests/protocol/aws/event_stream_reader.h"

namespace sluice::broker::kinesis {

class FakeStream final : public aws::AnswerStream, public std::enable_shared_from_this<FakeStream> {
 public:
  FakeStream(EventLoop& loop, aws::StreamObserver observer) : loop_(loop), observer_(std::move(observer)) {}

  void Write(std::string piece) override {
    SLUICE_CHECK(loop_.InLoop());
    const std::lock_guard lock(mutex_);
    SLUICE_CHECK(!ended_);
    bytes_ += piece;
    changed_.notify_all();
  }
  void End() override {
    SLUICE_CHECK(loop_.InLoop());
    observer_ = nullptr;
    const std::lock_guard lock(mutex_);
    SLUICE_CHECK(!ended_);
    ended_ = true;
    changed_.notify_all();
  }
  bool has_room() const override { return room; }

  /// Waits for the next message; nullopt at the end.
  std::optional<protocol::aws::ReadEvent> Next() {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (auto event = protocol::aws::TakeEvent(bytes_)) return event;
      if (ended_) return std::nullopt;
      changed_.wait(lock);
    }
  }
  /// Whether everything that was written has been taken.
  bool empty() {
    const std::lock_guard lock(mutex_);
    return bytes_.empty();
  }
  void Tell(aws::StreamNews news) {
    loop_.Post([me = shared_from_this(), news] {
      auto observer = std::exchange(me->observer_, nullptr);
      if (observer) observer(news);
      if (news == aws::StreamNews::kRoom) me->observer_ = std::move(observer);
    });
  }

  std::atomic<bool> room{true};

 private:
  EventLoop& loop_;
  aws::StreamObserver observer_;  // on the loop
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string bytes_;   // guarded by mutex_
  bool ended_ = false;  // guarded by mutex_
};

}  // namespace sluice::broker::kinesis
