// One loop: the order of what is posted, its sockets beside that, its timers, its end.
#include "broker/loop/event_loops.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "tests/catch.h"

namespace sluice::broker {
namespace {

using std::chrono::milliseconds;

/// Runs `task` on the loop and waits for its end.
void Run(EventLoop& loop, std::move_only_function<void()> task) {
  std::promise<void> done;
  loop.Post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

/// Posts itself again and again, for as long as it is wanted.
struct Spin {
  EventLoop& loop;
  std::function<bool()> wanted;
  void operator()() const {
    if (wanted()) loop.Post(*this);
  }
};

/// Posts when it goes.
struct PostsAtItsEnd {
  EventLoop& loop;
  ~PostsAtItsEnd() {
    loop.Post([] {});
  }
};

class ReadsOnce final : public SocketPoller::Handler {
 public:
  explicit ReadsOnce(int socket) : socket_(socket) {}
  void OnEvents(std::uint32_t) override {
    char byte = 0;
    got_ = ::read(socket_, &byte, 1) == 1;
  }
  bool got() const { return got_; }

 private:
  const int socket_;
  bool got_ = false;
};

TEST_CASE("EventLoop Post: in the order of the calls from one thread, on the loop itself or another", "[broker]") {
  EventLoops loops(1);
  EventLoop& loop = loops.loop(0);
  std::vector<int> order;
  const auto add = [&order](int number) { return [&order, number] { order.push_back(number); }; };
  std::promise<void> last;
  Run(loop, [&] {
    loop.Post([&] {
      order.push_back(1);
      loop.Post(add(3));
      loop.Post([&] { last.set_value(); });
    });
    loop.Post(add(2));
  });
  last.get_future().wait();
  loop.Post(add(4));
  loop.Post(add(5));
  Run(loop, add(6));
  CHECK(order == std::vector{1, 2, 3, 4, 5, 6});
  loops.Stop();
}

TEST_CASE("EventLoop: a task that posts itself again keeps it from nothing else", "[broker]") {
  EventLoops loops(1);
  EventLoop& loop = loops.loop(0);
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
  ReadsOnce reads(ends[0]);
  std::promise<void> spins;
  std::promise<void> got;
  LoopTimer timer(loop.timers());
  bool timed = false;
  Run(loop, [&] {
    loop.poller().Add(ends[0], EPOLLIN, reads);
    timer.Start(milliseconds(1), [&] { timed = true; });
    loop.Post([&] { spins.set_value(); });
    loop.Post(Spin{loop, [&] {
                     if (!reads.got() || !timed) return true;
                     got.set_value();
                     return false;
                   }});
  });
  spins.get_future().wait();
  CHECK(::write(ends[1], "x", 1) == 1);
  got.get_future().wait();
  Run(loop, [&] { loop.poller().Remove(ends[0]); });
  ::close(ends[0]);
  ::close(ends[1]);
  loops.Stop();
}

TEST_CASE("LoopTimer: calls come by their time, each once, and not those that were cancelled", "[broker]") {
  EventLoops loops(1);
  EventLoop& loop = loops.loop(0);
  std::vector<int> calls;
  std::promise<void> last;
  std::unique_ptr<LoopTimer> first;
  std::unique_ptr<LoopTimer> second;
  std::unique_ptr<LoopTimer> cancelled;
  Run(loop, [&] {
    for (auto* timer : {&first, &second, &cancelled}) *timer = std::make_unique<LoopTimer>(loop.timers());
    second->Start(milliseconds(20), [&] {
      calls.push_back(2);
      second->Start(milliseconds(0), [&] {  // from its own call
        calls.push_back(3);
        last.set_value();
      });
    });
    first->Start(milliseconds(0), [&] { calls.push_back(-1); });
    first->Start(milliseconds(5), [&] {  // in place of that
      first.reset();                     // from its own call, too
      calls.push_back(1);
    });
    cancelled->Start(milliseconds(1), [&] { calls.push_back(-2); });
    cancelled->Cancel();
  });
  last.get_future().wait();
  Run(loop, [&] {
    CHECK(first == nullptr);
    CHECK(calls == std::vector{1, 2, 3});
    CHECK(loop.timers().empty());
  });
  loops.Stop();
}

TEST_CASE("EventLoops Stop: what is still posted is dropped, and what that posts when it goes", "[broker]") {
  EventLoops loops(1);
  EventLoop& loop = loops.loop(0);
  auto held = std::make_shared<PostsAtItsEnd>(loop);
  const std::weak_ptr<PostsAtItsEnd> watch = held;
  loop.Post(Spin{loop, [held = std::move(held)] { return true; }});
  loops.Stop();
  CHECK(watch.expired());
}

}  // namespace
}  // namespace sluice::broker
