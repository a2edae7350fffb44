// One established TCP connection to a broker: sends calls as they come, gathers writes, matches answers.
//
// A channel lives until its first failure (connection lost, broken message, a call without an answer in time); then
// every call that waits is failed, in the order of sending, and the channel is of no more use. Connection makes a new
// one.
//
// Threads: everything on the thread of the io_context.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "client/call.h"

namespace sluice::client {

class Channel : public std::enable_shared_from_this<Channel> {
 public:
  struct Events {
    std::move_only_function<void(const Status&)> closed;   // once, before the waiting calls are failed
    std::move_only_function<void(const Status&)> refused;  // the broker refused a call that expects no answer
  };

  Channel(boost::asio::ip::tcp::socket socket, std::string address, Events events);

  /// Begins to read.
  void Start();
  void Send(Call call, Done done);
  /// Hello has been answered: calls carry this version, and a lost connection is kUnavailable from now on.
  void Greeted(std::uint8_t version);
  /// Fails all waiting calls with `why` and closes the socket.
  void Close(const Status& why);

 private:
  using Clock = std::chrono::steady_clock;
  struct Pending {
    protocol::wire::Operation operation;
    Clock::time_point deadline;
    std::chrono::milliseconds timeout;
    Done done;
  };
  struct Outgoing {
    std::string head;  // header and control message
    std::shared_ptr<const std::string> body;
    Done done;  // where no answer is expected
  };

  static boost::asio::awaitable<void> ReadMessages(std::shared_ptr<Channel> self);
  boost::asio::awaitable<bool> ReadMessage();
  boost::asio::awaitable<bool> Read(std::span<char> out);
  Status Dispatch(const protocol::wire::MessageHeader& header, Answer answer);
  Status CheckAnswers(const protocol::wire::MessageHeader& header) const;
  void ScheduleWrite();
  void Write();
  void Written();
  void ArmTimer();
  void FailOverdue();
  void Broken(const Status& why);

  boost::asio::ip::tcp::socket socket_;
  const std::string address_;
  Events events_;
  std::uint8_t version_ = protocol::wire::kHelloVersion;
  bool greeted_ = false;
  bool closed_ = false;
  Status closed_because_;

  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, Pending> pending_;                          // by correlation id, hence in order of sending
  std::set<std::pair<Clock::time_point, std::uint64_t>> overdue_at_;  // the deadlines of pending_
  boost::asio::steady_timer timer_;
  Clock::time_point timer_at_ = Clock::time_point::max();

  std::vector<Outgoing> queued_;
  std::vector<Outgoing> writing_;
  bool write_scheduled_ = false;

  std::vector<char> in_;  // received and not yet taken: [in_begin_, in_end_)
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
};

}  // namespace sluice::client
