// The one background thread of a client object, with the event loop that its connection and timers live on.
//
// Threads: Post from any thread; everything posted runs on the one thread, in order. Stop by the owner, from another
// thread.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <thread>

namespace sluice::client {

class IoThread {
 public:
  IoThread();
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  boost::asio::io_context& context() { return context_; }
  void Post(std::move_only_function<void()> task);
  /// Runs `task` on the thread and waits for its end.
  void RunAndWait(std::move_only_function<void()> task);
  bool InThread() const { return std::this_thread::get_id() == thread_.get_id(); }
  /// Ends the loop and joins the thread; what was not run by then never runs.
  void Stop();

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace sluice::client
