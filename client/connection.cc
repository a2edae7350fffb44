// Connects, greets, and hands calls to the channel that is there.
#include "client/connection.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <future>

#include "protocol/check.h"
#include "protocol/native/native.pb.h"

namespace sluice::client {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Closes what it watches over when the time is up; the operation under way then ends with an error.
struct Watchdog {
  template <typename Cancel>
  Watchdog(asio::io_context& context, std::chrono::milliseconds timeout, Cancel cancel)
      : expired(std::make_shared<bool>(false)), timer(context, timeout) {
    timer.async_wait([expired = expired, cancel](const error_code& error) {
      if (error) return;
      *expired = true;
      cancel();
    });
  }
  ~Watchdog() { timer.cancel(); }

  std::shared_ptr<bool> expired;
  asio::steady_timer timer;
};

asio::awaitable<Result<tcp::socket>> ConnectSocket(asio::io_context& context, const ClientOptions& options) {
  const Result<HostAndPort> address = ParseAddress(options.address);
  if (!address) co_return std::unexpected(address.error());
  const auto resolver = std::make_shared<tcp::resolver>(context);
  const auto socket = std::make_shared<tcp::socket>(context);
  const Watchdog watchdog(context, options.connect_timeout, [resolver, socket] {
    resolver->cancel();
    error_code ignored;
    socket->close(ignored);
  });
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  const auto endpoints = co_await resolver->async_resolve(address->host, address->port, token);
  if (error && !*watchdog.expired) {
    co_return Error(Code::kUnavailable, fmt::format("cannot find '{}': {}", address->host, error.message()));
  }
  if (!error) co_await asio::async_connect(*socket, endpoints, token);
  if (*watchdog.expired) {
    co_return Error(Code::kUnavailable,
                    fmt::format("cannot connect to {} within {} ms", options.address, options.connect_timeout.count()));
  }
  if (error) {
    co_return Error(Code::kUnavailable, fmt::format("cannot connect to {}: {}; is a broker running there?",
                                                    options.address, error.message()));
  }
  error_code ignored;
  socket->set_option(tcp::no_delay(true), ignored);
  co_return std::move(*socket);
}

}  // namespace

Result<HostAndPort> ParseAddress(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  const auto invalid = [&] {
    return Error(Code::kInvalidArgument,
                 fmt::format("address '{}' is not host:port (such as 127.0.0.1:7420)", address));
  };
  if (colon == std::string_view::npos || colon == 0) return invalid();
  std::string_view host = address.substr(0, colon);
  const std::string_view port = address.substr(colon + 1);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number == 0) return invalid();
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return invalid();
  }
  return HostAndPort{std::string(host), std::string(port)};
}

Connection::Connection(IoThread& io, ClientOptions options) : io_(io), options_(std::move(options)) {}

void Connection::Make(Call call, Done done) {
  if (ready_) return channel_->Send(std::move(call), std::move(done));
  WhenReady([call = std::move(call), done = std::move(done)](Result<std::shared_ptr<Channel>> channel) mutable {
    if (!channel) return done(std::unexpected(channel.error()));
    (*channel)->Send(std::move(call), std::move(done));
  });
}

void Connection::WhenReady(Then then) {
  if (closed_) return then(Error(Code::kUnavailable, "the client has been closed"));
  if (ready_) return then(channel_);
  waiting_.push_back(std::move(then));
  if (connecting_) return;
  connecting_ = true;
  asio::co_spawn(io_.context(), Connect(shared_from_this()), asio::detached);
}

Result<Answer> Connection::CallAndWait(Call call) {
  SLUICE_CHECK(!io_.InThread());
  std::promise<Result<Answer>> promise;
  auto future = promise.get_future();
  io_.Post([this, call = std::move(call), promise = std::move(promise)]() mutable {
    Make(std::move(call),
         [promise = std::move(promise)](Result<Answer> answer) mutable { promise.set_value(std::move(answer)); });
  });
  return future.get();
}

Status Connection::Reach() {
  SLUICE_CHECK(!io_.InThread());
  std::promise<Status> promise;
  auto future = promise.get_future();
  io_.Post([this, promise = std::move(promise)]() mutable {
    WhenReady([promise = std::move(promise)](const Result<std::shared_ptr<Channel>>& channel) mutable {
      promise.set_value(channel ? Status() : channel.error());
    });
  });
  return future.get();
}

void Connection::Drop(const Status& why) {
  if (channel_) channel_->Close(why);
}

void Connection::Close() {
  closed_ = true;
  const Status why(Code::kUnavailable, "the client has been closed");
  Drop(why);
  ConnectFailed(why);
}

asio::awaitable<void> Connection::Connect(std::shared_ptr<Connection> self) {
  Result<tcp::socket> socket = co_await ConnectSocket(self->io_.context(), self->options_);
  if (self->closed_) co_return;
  if (!socket) co_return self->ConnectFailed(socket.error());
  self->SayHello(std::move(*socket));
}

void Connection::SayHello(tcp::socket socket) {
  Channel::Events events;
  // The connection owns the channel: a plain pointer would do, but the channel may outlive it while it is being closed.
  events.closed = [weak = weak_from_this()](const Status&) {
    const auto self = weak.lock();
    if (!self) return;
    self->channel_.reset();
    self->ready_ = false;
  };
  events.refused = [weak = weak_from_this()](const Status& why) {
    const auto self = weak.lock();
    if (self && self->refused_) self->refused_(why);
  };
  channel_ = std::make_shared<Channel>(std::move(socket), options_.address, std::move(events));
  channel_->Start();
  native::HelloRequest hello;
  hello.set_version_min(protocol::wire::kVersionMin);
  hello.set_version_max(protocol::wire::kVersionMax);
  hello.set_client_name(options_.client_name);
  hello.set_large_answers(true);
  Call call{.operation = protocol::wire::Operation::kHello,
            .control = hello.SerializeAsString(),
            .body = nullptr,
            .timeout = options_.connect_timeout};
  channel_->Send(std::move(call), [self = shared_from_this(), channel = channel_](Result<Answer> answer) {
    self->HelloAnswered(channel, std::move(answer));
  });
}

void Connection::HelloAnswered(const std::shared_ptr<Channel>& channel, Result<Answer> answer) {
  if (closed_) return;
  const auto no_greeting = [this](const Status& why) {
    // Bytes of another protocol are no damage: no broker is there.
    const Status silent = why.code() == Code::kCorruption ? Status(Code::kUnavailable, why.message()) : why;
    return silent.WithContext(fmt::format("no greeting from {}; is that the native port of a broker?", options_.address));
  };
  const Status taken = answer ? TakeHello(*answer) : no_greeting(answer.error());
  if (!taken.ok()) {
    channel->Close(taken);
    return ConnectFailed(taken);
  }
  SLUICE_CHECK(channel == channel_);
  channel->Greeted(version_);
  ready_ = true;
  connecting_ = false;
  for (Then& then : std::exchange(waiting_, {})) then(channel);
}

Status Connection::TakeHello(const Answer& answer) {
  native::HelloResponse hello;
  if (!hello.ParseFromString(answer.control)) return {Code::kCorruption, "the broker's greeting does not parse"};
  if (hello.version() < protocol::wire::kVersionMin || hello.version() > protocol::wire::kVersionMax) {
    return {Code::kCorruption, fmt::format("the broker at {} chose version {} of the protocol, which was not offered",
                                           options_.address, hello.version())};
  }
  version_ = static_cast<std::uint8_t>(hello.version());
  if (hello.batch_bytes_max() != 0) limits_.batch_bytes_max = hello.batch_bytes_max();
  if (hello.record_bytes_max() != 0) limits_.record_bytes_max = hello.record_bytes_max();
  return {};
}

void Connection::ConnectFailed(const Status& why) {
  connecting_ = false;
  for (Then& then : std::exchange(waiting_, {})) then(Error(why));
}

}  // namespace sluice::client
