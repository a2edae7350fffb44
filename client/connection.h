// The way to one broker: connects when it is first needed, says Hello, sends calls, and connects anew after a failure.
//
// A call fails with kUnavailable where no connection comes about or it is lost before the answer; whether to try again
// is the caller's decision. Calls made while a connection is being made wait for it.
//
// Threads: CallAndWait from any thread but the client's own; everything else on the client's own thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "client/call.h"
#include "client/channel.h"
#include "client/io_thread.h"
#include "sluice/types.h"

namespace sluice::client {

/// What the broker said in Hello.
struct BrokerLimits {
  std::uint64_t batch_bytes_max = protocol::kBatchBytesMax;
  std::uint64_t record_bytes_max = protocol::kRecordBytesMax;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(IoThread& io, ClientOptions options);

  void Make(Call call, Done done);
  /// The same, blocking.
  Result<Answer> CallAndWait(Call call);
  /// Connects where there is no connection yet, blocking.
  Status Reach();
  /// Gives the present connection up, if there is one; the next call connects anew.
  void Drop(const Status& why);
  /// Fails all calls, these and later ones.
  void Close();
  /// Told of the broker's refusals of calls that expect no answer.
  void OnRefusal(std::move_only_function<void(const Status&)> refused) { refused_ = std::move(refused); }

  const BrokerLimits& limits() const { return limits_; }
  const ClientOptions& options() const { return options_; }
  IoThread& io() { return io_; }

 private:
  // What goes on when there is a connection; `then` gets the error where none came about.
  using Then = std::move_only_function<void(Result<std::shared_ptr<Channel>>)>;

  void WhenReady(Then then);

  static boost::asio::awaitable<void> Connect(std::shared_ptr<Connection> self);
  void SayHello(boost::asio::ip::tcp::socket socket);
  void HelloAnswered(const std::shared_ptr<Channel>& channel, Result<Answer> answer);
  Status TakeHello(const Answer& answer);
  void ConnectFailed(const Status& why);

  IoThread& io_;                 // outlives the connection's last call
  const ClientOptions options_;  // constant after construction
  std::shared_ptr<Channel> channel_;
  bool ready_ = false;  // channel_ has been greeted
  bool connecting_ = false;
  bool closed_ = false;
  std::vector<Then> waiting_;  // for the connection
  BrokerLimits limits_;        // written before the first call is sent
  std::uint8_t version_ = protocol::wire::kHelloVersion;
  std::move_only_function<void(const Status&)> refused_;
};

/// "host:port" or "[v6]:port", taken apart; kInvalidArgument for anything else.
struct HostAndPort {
  std::string host;
  std::string port;
};
Result<HostAndPort> ParseAddress(std::string_view address);

}  // namespace sluice::client
