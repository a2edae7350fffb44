// The loops' turns, the thread of the doors, and the small pool for work that blocks.
#include "broker/loop/event_loops.h"

#include <algorithm>
#include <barrier>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "protocol/check.h"
#include "storage/env/thread.h"

namespace sluice::broker {
namespace {

constexpr std::size_t kBlockingThreads = 2;

std::size_t DefaultCount() {
  const std::size_t cores = std::thread::hardware_concurrency();
  return cores > 1 ? cores - 1 : 1;
}

class LoopImpl final : public EventLoop {
  using Tasks = std::vector<std::move_only_function<void()>>;

 public:
  explicit LoopImpl(std::size_t index) : index_(index), thread_([this] { Run(); }) {}

  ~LoopImpl() override { SLUICE_CHECK(!thread_.joinable()); }

  void Post(std::move_only_function<void()> task) override {
    if (InLoop()) return own_.push_back(std::move(task));
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      foreign_.push_back(std::move(task));
      wake = std::exchange(asleep_, false);
    }
    if (wake) poller_.Wake();
  }
  SocketPoller& poller() override { return poller_; }
  LoopTimers& timers() override { return timers_; }
  bool InLoop() const override { return current_ == this; }
  std::size_t index() const override { return index_; }

  void Stop() {
    SLUICE_CHECK(!InLoop());
    Post([this] { stopping_ = true; });
    thread_.join();
    // What is left goes; what a task holds may post once more then.
    for (TakeForeign(); !own_.empty(); TakeForeign()) std::exchange(own_, Tasks()).clear();
  }

 private:
  // Tasks of others come behind those that the sockets have brought: a commit of what was read begins before the
  // answers of the last one are written.
  void Run() {
    storage::NameThread("loop-" + std::to_string(index_));
    storage::RunSoonAfterWaking();  // whoever is waiting for an answer waits for it
    current_ = this;
    while (!stopping_) {
      poller_.Wait(FallAsleep());
      TakeForeign();
      timers_.RunDue();
      // What was read is committed, then answered. What these post waits, or the sockets would wait for a task that
      // posts itself again.
      for (int round = 0; round < kRoundsOfTurn && !own_.empty(); ++round) RunOwn();
    }
    current_ = nullptr;
  }

  /// How long to wait for sockets.
  std::optional<std::chrono::milliseconds> FallAsleep() {
    constexpr std::chrono::milliseconds kNow{0};
    if (!own_.empty()) return kNow;
    {
      const std::lock_guard lock(mutex_);
      if (!foreign_.empty()) return kNow;
      asleep_ = true;
    }
    if (timers_.empty()) return std::nullopt;
    return timers_.Left();
  }

  void TakeForeign() {
    const std::lock_guard lock(mutex_);
    asleep_ = false;
    if (own_.empty()) return own_.swap(foreign_);
    std::ranges::move(foreign_, std::back_inserter(own_));
    foreign_.clear();
  }

  /// What is posted by now, not what that posts.
  void RunOwn() {
    running_.swap(own_);
    for (auto& task : running_) std::exchange(task, nullptr)();
    running_.clear();
  }

  static constexpr int kRoundsOfTurn = 2;
  inline static thread_local const LoopImpl* current_ = nullptr;

  const std::size_t index_;
  SocketPoller poller_;
  // The loop's own:
  LoopTimers timers_;
  Tasks own_;      // not run yet
  Tasks running_;  // keeps its memory
  bool stopping_ = false;
  std::mutex mutex_;
  Tasks foreign_;        // of other threads; guarded by mutex_
  bool asleep_ = false;  // or about to: who posts wakes it; guarded by mutex_
  std::thread thread_;   // last: it uses the others
};

/// An io_context with one thread.
class Doors {
 public:
  Doors() : context_(BOOST_ASIO_CONCURRENCY_HINT_1), work_(context_.get_executor()), thread_([this] { Run(); }) {}
  ~Doors() { SLUICE_CHECK(!thread_.joinable()); }

  boost::asio::io_context& context() { return context_; }
  void Stop() {
    context_.stop();
    thread_.join();
  }

 private:
  void Run() {
    storage::NameThread("doors");
    context_.run();
  }

  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace

class EventLoops::Impl {
 public:
  explicit Impl(std::size_t count) : blocking(kBlockingThreads) {
    for (std::size_t i = 0; i < count; ++i) loops.push_back(std::make_unique<LoopImpl>(i));
  }

  std::vector<std::unique_ptr<LoopImpl>> loops;  // constant after construction
  Doors doors;
  boost::asio::thread_pool blocking;
  bool stopped = false;  // by the thread that made the loops
};

EventLoops::EventLoops(std::size_t count) : impl_(std::make_unique<Impl>(count == 0 ? DefaultCount() : count)) {}

EventLoops::~EventLoops() { Stop(); }

std::size_t EventLoops::size() const { return impl_->loops.size(); }

EventLoop& EventLoops::loop(std::size_t index) {
  SLUICE_CHECK(index < impl_->loops.size());
  return *impl_->loops[index];
}

// Consecutive shards of a stream go to consecutive loops, so that a stream of N shards uses all of them.
std::size_t EventLoops::OwnerIndexOf(ShardId id) const {
  return (std::size_t{id.stream.value} + id.index.value) % impl_->loops.size();
}

EventLoop& EventLoops::OwnerOf(ShardId id) { return loop(OwnerIndexOf(id)); }

boost::asio::io_context& EventLoops::doors() { return impl_->doors.context(); }

void EventLoops::RunBlocking(std::move_only_function<void()> task) {
  boost::asio::post(impl_->blocking, [task = std::move(task)]() mutable { task(); });
}

// As many tasks as threads that wait for one another: all run only when every earlier task is done.
void EventLoops::DrainBlocking() {
  auto all = std::make_shared<std::barrier<>>(kBlockingThreads + 1);
  for (std::size_t i = 0; i < kBlockingThreads; ++i) RunBlocking([all] { all->arrive_and_wait(); });
  all->arrive_and_wait();
}

void EventLoops::Stop() {
  if (std::exchange(impl_->stopped, true)) return;
  impl_->blocking.join();
  impl_->doors.Stop();
  for (auto& loop : impl_->loops) loop->Stop();
}

}  // namespace sluice::broker
