// One epoll loop; connections keep the times at which their requests were sent (or due) in a queue, as answers come in
// order.
#include "tools/bench/load_generator.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <memory>
#include <utility>

namespace sluice::tools {

namespace {

constexpr std::size_t kReadBytes = 1u << 20;
constexpr std::size_t kBurstBytes = 256u << 10;  // pipelined requests leave in one send up to this size

std::int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct Connection {
  LoopbackSocket socket;
  std::string burst{};  // the request, repeated as often as one send takes
  std::size_t request_bytes = 0;
  std::size_t unsent_bytes = 0;  // of the current burst
  std::size_t burst_bytes = 0;
  std::deque<std::int64_t> sent_ns{};
  std::string in{};
  std::size_t in_bytes = 0;
  bool waits_for_room = false;
};

class Generator {
 public:
  explicit Generator(const LoadOptions& options) : options_(options), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;
  ~Generator() { close(epoll_); }

  Result<LoadResult> Run() {
    if (Status status = Connect(); !status.ok()) return Error(status);
    if (open_loop()) prctl(PR_SET_TIMERSLACK, 1UL);  // else each request leaves up to 50 us after its time
    const std::int64_t start = NowNs();
    measure_from_ = start + static_cast<std::int64_t>(options_.warm_up_seconds * 1e9);
    const std::int64_t end = measure_from_ + static_cast<std::int64_t>(options_.seconds * 1e9);
    next_due_ns_ = start;
    if (!open_loop()) {
      for (Connection& connection : connections_) SendMore(connection, NowNs());
    }
    while (NowNs() < end) {
      if (open_loop()) SendDue();
      if (Status status = Turn(); !status.ok()) return Error(status);
    }
    result_.seconds = static_cast<double>(NowNs() - measure_from_) / 1e9;
    return std::move(result_);
  }

 private:
  bool open_loop() const { return options_.requests_per_second > 0; }

  Status Connect() {
    const std::size_t burst_max = open_loop() ? 1 : options_.depth;
    for (std::size_t i = 0; i < options_.connections; ++i) {
      auto socket = LoopbackSocket::Connect(options_.port);
      if (!socket) return socket.error();
      Connection connection{.socket = std::move(*socket)};
      const std::string& request = options_.requests[i % options_.requests.size()];
      connection.request_bytes = request.size();
      const std::size_t repeats = std::clamp<std::size_t>(kBurstBytes / request.size() + 1, 1, burst_max);
      for (std::size_t k = 0; k < repeats; ++k) connection.burst += request;
      connection.in.resize(kReadBytes);
      if (Status status = Greet(connection); !status.ok()) return status;
      fcntl(connection.socket.fd(), F_SETFL, O_NONBLOCK);
      connections_.push_back(std::move(connection));
    }
    for (std::size_t i = 0; i < connections_.size(); ++i) Watch(i, EPOLL_CTL_ADD, EPOLLIN);
    return {};
  }

  Status Greet(Connection& connection) {
    if (options_.greeting.empty()) return {};
    auto answer = connection.socket.Exchange(options_.greeting, options_.answer_size);
    return answer ? Status() : answer.error();
  }

  void Watch(std::size_t index, int operation, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = index;
    epoll_ctl(epoll_, operation, connections_[index].socket.fd(), &event);
  }

  /// Queues requests up to the depth and sends what the socket takes.
  void SendMore(Connection& connection, std::int64_t due_ns) {
    while (true) {
      if (connection.unsent_bytes == 0) {
        const std::size_t room = options_.depth - std::min(options_.depth, connection.sent_ns.size());
        const std::size_t count = std::min(room, connection.burst.size() / connection.request_bytes);
        if (count == 0) return;
        connection.burst_bytes = connection.unsent_bytes = count * connection.request_bytes;
        connection.sent_ns.insert(connection.sent_ns.end(), count, due_ns);
        if (open_loop()) {
          Flush(connection);
          return;
        }
      }
      if (!Flush(connection)) return;
    }
  }

  bool Flush(Connection& connection) {
    const char* from = connection.burst.data() + (connection.burst_bytes - connection.unsent_bytes);
    const ssize_t sent = send(connection.socket.fd(), from, connection.unsent_bytes, MSG_NOSIGNAL);
    if (sent > 0) connection.unsent_bytes -= static_cast<std::size_t>(sent);
    const bool full = connection.unsent_bytes > 0;
    if (full != connection.waits_for_room) {
      connection.waits_for_room = full;
      const auto index = static_cast<std::size_t>(&connection - connections_.data());
      Watch(index, EPOLL_CTL_MOD, full ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
    return !full;
  }

  /// Open loop: sends all requests whose time has come, on the connections in turn.
  void SendDue() {
    const std::int64_t now = NowNs();
    const auto gap = static_cast<std::int64_t>(1e9 / options_.requests_per_second);
    while (next_due_ns_ <= now) {
      Connection& connection = connections_[next_connection_++ % connections_.size()];
      if (connection.unsent_bytes > 0 || connection.sent_ns.size() >= options_.depth) {
        if (++skipped_ % connections_.size() == 0) return;  // all are busy: the due time stays, so the wait is counted
        continue;
      }
      SendMore(connection, next_due_ns_);
      next_due_ns_ += gap;
    }
  }

  Status Turn() {
    std::array<epoll_event, 256> events;
    timespec timeout{};
    if (open_loop()) {
      timeout.tv_nsec = std::clamp<std::int64_t>(next_due_ns_ - NowNs(), 0, 1'000'000);
    } else {
      timeout.tv_nsec = 10'000'000;
    }
    const int ready = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      Connection& connection = connections_[event.data.u64];
      if ((event.events & EPOLLOUT) != 0 && Flush(connection) && !open_loop()) SendMore(connection, NowNs());
      if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) continue;
      if (Status status = Receive(connection); !status.ok()) return status;
      if (!open_loop()) SendMore(connection, NowNs());
    }
    return {};
  }

  Status Receive(Connection& connection) {
    const ssize_t got = recv(connection.socket.fd(), connection.in.data() + connection.in_bytes,
                             connection.in.size() - connection.in_bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (got <= 0) return Status(Code::kUnavailable, "the server closed a connection during the run");
    connection.in_bytes += static_cast<std::size_t>(got);
    const std::int64_t now = NowNs();
    std::string_view rest(connection.in.data(), connection.in_bytes);
    while (!rest.empty()) {
      auto size = options_.answer_size(rest);
      if (!size) return size.error();
      if (*size == 0) break;
      if (*size > rest.size()) {  // told ahead of its arrival: make room and wait
        if (*size > connection.in.size()) connection.in.resize(*size);
        break;
      }
      Count(connection, now, *size);
      rest.remove_prefix(*size);
    }
    const std::size_t taken = connection.in_bytes - rest.size();
    if (taken > 0) std::memmove(connection.in.data(), connection.in.data() + taken, rest.size());
    connection.in_bytes = rest.size();
    return {};
  }

  void Count(Connection& connection, std::int64_t now, std::size_t bytes) {
    const std::int64_t sent = connection.sent_ns.front();
    connection.sent_ns.pop_front();
    if (now < measure_from_) return;
    ++result_.requests;
    result_.answer_bytes += bytes;
    result_.latency.Add(now - sent);
  }

  const LoadOptions& options_;
  const int epoll_;
  std::vector<Connection> connections_;
  LoadResult result_;
  std::int64_t measure_from_ = 0;
  std::int64_t next_due_ns_ = 0;
  std::size_t next_connection_ = 0;
  std::size_t skipped_ = 0;
};

}  // namespace

Result<LoadResult> RunLoad(const LoadOptions& options) { return Generator(options).Run(); }

}  // namespace sluice::tools
