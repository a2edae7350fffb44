// A small HTTP/1.1 server over Beast. Requests have no body, answers are made on the blocking pool.
#include "broker/api/admin/admin_door.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <mutex>

#include "broker/api/acceptor.h"
#include "broker/version.h"
#include "protocol/check.h"

namespace sluice::broker::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

constexpr std::size_t kHeaderBytesMax = 8u << 10;

Response Page(const Request& request, http::status status, std::string_view type, std::string body) {
  Response response(status, request.version());
  response.set(http::field::server, std::string("sluice/").append(kVersion));
  response.set(http::field::content_type, type);
  response.set(http::field::cache_control, "no-store");
  response.keep_alive(request.keep_alive());
  response.content_length(body.size());
  if (request.method() != http::verb::head) response.body() = std::move(body);
  return response;
}

/// Whether the peer sent what is no request, rather than nothing, or not all of it.
bool IsOfRequest(const boost::system::error_code& error) {
  return error.category() == http::make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

Response Refusal(const boost::system::error_code& error) {
  const bool too_long = error == http::error::header_limit;
  Request request;
  request.keep_alive(false);
  return Page(request, too_long ? http::status::request_header_fields_too_large : http::status::bad_request,
              "text/plain; charset=utf-8", fmt::format("no request of HTTP/1.1: {}\n", error.message()));
}

Response Answer(const AdminPages& pages, const Request& request) {
  constexpr std::string_view kText = "text/plain; charset=utf-8";
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    Response response = Page(request, http::status::method_not_allowed, kText, "use GET or HEAD\n");
    response.set(http::field::allow, "GET, HEAD");
    return response;
  }
  const std::string_view target = std::string_view(request.target()).substr(0, request.target().find('?'));
  if (target == "/metrics")
    return Page(request, http::status::ok, "text/plain; version=0.0.4; charset=utf-8", pages.metrics());
  if (target == "/healthz") return Page(request, http::status::ok, kText, "ok\n");
  if (target == "/version") {
    return Page(request, http::status::ok, "application/json", fmt::format("{{\"version\":\"{}\"}}\n", kVersion));
  }
  if (target == "/readyz") {
    const Status ready = pages.ready();
    if (ready.ok()) return Page(request, http::status::ok, kText, "ready\n");
    return Page(request, http::status::service_unavailable, kText, ready.message() + "\n");
  }
  return Page(request, http::status::not_found, kText, "no such page; there are /metrics /healthz /readyz /version\n");
}

}  // namespace

class AdminDoor::Impl : public std::enable_shared_from_this<AdminDoor::Impl> {
 public:
  Impl(EventLoops& loops, storage::Clock& clock, AdminPages pages, AdminDoorOptions options)
      : loops_(loops), pages_(std::move(pages)), options_(std::move(options)), acceptor_(loops, 1, clock, "admin") {}

  Status Listen() { return acceptor_.Listen(options_.address, options_.port); }
  std::uint16_t port() const { return acceptor_.port(); }

  void Start() {
    acceptor_.Start([me = shared_from_this()](std::size_t, Acceptor::Socket socket) {
      me->Accepted(std::move(socket));
    });
  }
  void Stop();

 private:
  void Accepted(tcp::socket socket);
  static asio::awaitable<void> Serve(std::shared_ptr<Impl> me, tcp::socket socket);
  asio::awaitable<Response> MakePage(Request request);
  Response MakePageNow(const Request& request);

  EventLoops& loops_;
  const AdminPages pages_;
  const AdminDoorOptions options_;
  Acceptor acceptor_;
  std::uint32_t connections_ = 0;  // on the thread of the doors
  std::mutex pages_mutex_;         // held while a page is made
  bool stopped_ = false;           // guarded by pages_mutex_
};

void AdminDoor::Impl::Accepted(tcp::socket socket) {
  if (connections_ >= options_.connections_max) return;  // the socket closes
  ++connections_;
  asio::co_spawn(loops_.doors(), Serve(shared_from_this(), std::move(socket)),
                 [me = shared_from_this()](const std::exception_ptr&) { --me->connections_; });
}

asio::awaitable<void> AdminDoor::Impl::Serve(std::shared_ptr<Impl> me, tcp::socket socket) {
  const auto timeout = std::chrono::milliseconds(me->options_.request_timeout_ms);
  beast::tcp_stream stream(std::move(socket));
  beast::flat_buffer buffer;
  boost::system::error_code error;
  bool keep_alive = true;
  while (keep_alive) {
    http::request_parser<http::empty_body> parser;
    parser.header_limit(kHeaderBytesMax);
    stream.expires_after(timeout);
    co_await http::async_read_header(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    if (error && !IsOfRequest(error)) break;
    Response response = error ? Refusal(error) : co_await me->MakePage(parser.get());
    if (!parser.is_done()) response.keep_alive(false);  // a body, which no page takes
    keep_alive = response.keep_alive();
    stream.expires_after(timeout);
    co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
  }
  stream.socket().shutdown(tcp::socket::shutdown_send, error);
}

// On the blocking pool and back.
asio::awaitable<Response> AdminDoor::Impl::MakePage(Request request) {
  const auto initiate = [this, &request](auto handler) {
    loops_.RunBlocking([this, request = std::move(request), handler = std::move(handler)]() mutable {
      Response response = MakePageNow(request);
      asio::post(loops_.doors(), [handler = std::move(handler), response = std::move(response)]() mutable {
        handler(std::move(response));
      });
    });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Response)>(initiate, asio::use_awaitable);
}

Response AdminDoor::Impl::MakePageNow(const Request& request) {
  const std::lock_guard lock(pages_mutex_);
  if (!stopped_) return Answer(pages_, request);
  return Page(request, http::status::service_unavailable, "text/plain", "the broker is stopping\n");
}

void AdminDoor::Impl::Stop() {
  acceptor_.Stop();
  const std::lock_guard lock(pages_mutex_);
  stopped_ = true;
}

AdminDoor::AdminDoor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminDoor::~AdminDoor() = default;

Result<std::unique_ptr<AdminDoor>> AdminDoor::Start(EventLoops& loops, storage::Clock& clock, AdminPages pages,
                                                    AdminDoorOptions options) {
  auto impl = std::make_shared<Impl>(loops, clock, std::move(pages), std::move(options));
  if (Status status = impl->Listen(); !status.ok()) return Error(status);
  impl->Start();
  return std::unique_ptr<AdminDoor>(new AdminDoor(std::move(impl)));
}

std::uint16_t AdminDoor::port() const { return impl_->port(); }
void AdminDoor::Stop() { impl_->Stop(); }

}  // namespace sluice::broker::admin
