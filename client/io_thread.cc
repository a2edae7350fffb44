// Starts and stops the background thread.
#include "client/io_thread.h"

#include <boost/asio/post.hpp>
#include <future>

#include "protocol/check.h"

namespace sluice::client {

IoThread::IoThread() : work_(context_.get_executor()), thread_([this] { context_.run(); }) {}

IoThread::~IoThread() { Stop(); }

void IoThread::Post(std::move_only_function<void()> task) { boost::asio::post(context_, std::move(task)); }

void IoThread::RunAndWait(std::move_only_function<void()> task) {
  SLUICE_CHECK(!InThread());
  std::promise<void> promise;
  const auto ran = promise.get_future();
  Post([&task, promise = std::move(promise)]() mutable {
    task();
    promise.set_value();
  });
  ran.wait();
}

void IoThread::Stop() {
  if (!thread_.joinable()) return;
  SLUICE_CHECK(!InThread());
  context_.stop();
  thread_.join();
}

}  // namespace sluice::client
