// Event loops over boost::asio::io_context, one thread each, and the small pool for work that blocks.
#include "broker/event_loops.h"

#include <algorithm>
#include <barrier>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <string>
#include <thread>

#include "protocol/check.h"
#include "storage/env/thread.h"

namespace sluice::broker {
namespace {

constexpr std::size_t kBlockingThreads = 2;

std::size_t DefaultCount() {
  const std::size_t cores = std::thread::hardware_concurrency();
  return cores > 1 ? cores - 1 : 1;
}

class AsioLoop : public EventLoop {
 public:
  explicit AsioLoop(std::size_t index)
      : index_(index),
        context_(BOOST_ASIO_CONCURRENCY_HINT_1),
        work_(context_.get_executor()),
        thread_([this] { Run(); }) {}

  ~AsioLoop() override { SLUICE_CHECK(!thread_.joinable()); }

  void Post(std::move_only_function<void()> task) override {
    boost::asio::post(context_, [task = std::move(task)]() mutable { task(); });
  }
  boost::asio::io_context& context() override { return context_; }
  bool InLoop() const override { return current_ == this; }
  std::size_t index() const override { return index_; }

  void Stop() {
    SLUICE_CHECK(!InLoop());
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void Run() {
    storage::NameThread("loop-" + std::to_string(index_));
    storage::RunSoonAfterWaking();  // whoever is waiting for an answer waits for it
    current_ = this;
    context_.run();
    current_ = nullptr;
  }

  inline static thread_local const AsioLoop* current_ = nullptr;

  const std::size_t index_;
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace

class EventLoops::Impl {
 public:
  explicit Impl(std::size_t count) : blocking(kBlockingThreads) {
    for (std::size_t i = 0; i < count; ++i) loops.push_back(std::make_unique<AsioLoop>(i));
  }

  std::vector<std::unique_ptr<AsioLoop>> loops;  // constant after construction
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
  for (auto& loop : impl_->loops) loop->Stop();
}

}  // namespace sluice::broker
