// The bare ingest server; see the header. Measured facts behind it: docs/performance.md.
#include "tools/bench/ingest_bound.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "protocol/check.h"
#include "protocol/crc32c.h"

namespace sluice::tools {

namespace {

constexpr std::size_t kBufferBytes = 64u << 20;
constexpr std::size_t kFileBytes = 1u << 30;
constexpr std::size_t kReadBytes = 1u << 20;
constexpr std::size_t kFrameHeaderBytes = 8;
constexpr std::size_t kRecordHeaderBytes = 24;  // what a broker adds at least: length, checksum, offset

/// Frames that wait for their commit, and who gets the answers.
struct Group {
  std::vector<char> bytes = std::vector<char>(kBufferBytes + kReadBytes);
  std::size_t used = 0;
  std::vector<std::pair<int, std::size_t>> answers;  // socket, frames

  void Clear() {
    used = 0;
    answers.clear();
  }
};

class BareLog {
 public:
  BareLog(const std::string& dir, bool flush) : flush_(flush) {
    const std::string path = dir + "/ingest_bound.log";
    fd_ = open(path.c_str(), O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600);
    SLUICE_CHECK(fd_ >= 0);
    const std::vector<char> zeros(1u << 20);
    for (std::size_t at = 0; at < kFileBytes; at += zeros.size()) {
      SLUICE_CHECK(pwrite(fd_, zeros.data(), zeros.size(), static_cast<off_t>(at)) ==
                   static_cast<ssize_t>(zeros.size()));
    }
    SLUICE_CHECK(fsync(fd_) == 0);
    unlink(path.c_str());
  }

  void Commit(const Group& group) {
    if (position_ + group.used > kFileBytes) position_ = 0;
    for (std::size_t done = 0; done < group.used;) {
      const ssize_t wrote =
          pwrite(fd_, group.bytes.data() + done, group.used - done, static_cast<off_t>(position_ + done));
      SLUICE_CHECK(wrote > 0);
      done += static_cast<std::size_t>(wrote);
    }
    if (flush_) SLUICE_CHECK(fdatasync(fd_) == 0);
    position_ += group.used;
  }

 private:
  const bool flush_;
  int fd_ = -1;
  std::size_t position_ = 0;
};

/// Commits groups one after another on its own thread and rings `done_fd` after each.
class CommitThread {
 public:
  explicit CommitThread(BareLog& log)
      : log_(log), done_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), thread_([this] { Run(); }) {
    thread_.detach();  // the process ends with its parent
  }
  int done_fd() const { return done_fd_; }
  bool busy() {
    const std::scoped_lock lock(mutex_);
    return busy_;
  }
  void Submit(Group& group) {
    const std::scoped_lock lock(mutex_);
    std::swap(group.bytes, working_.bytes);
    std::swap(group.used, working_.used);
    std::swap(group.answers, working_.answers);
    group.Clear();
    busy_ = true;
    wake_.notify_one();
  }
  void TakeAnswers(std::vector<std::pair<int, std::size_t>>& answers) {
    const std::scoped_lock lock(mutex_);
    answers.swap(working_.answers);
    working_.answers.clear();
    busy_ = false;
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return working_.used > 0; });
      lock.unlock();
      log_.Commit(working_);
      lock.lock();
      working_.used = 0;
      const std::uint64_t one = 1;
      SLUICE_CHECK(write(done_fd_, &one, sizeof one) == sizeof one);
    }
  }

  BareLog& log_;
  const int done_fd_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Group working_;
  bool busy_ = false;
  std::thread thread_;
};

struct Peer {
  std::vector<char> in;
  std::size_t in_bytes = 0;
  std::string out;
};

class BareServer {
 public:
  BareServer(int listener, const BoundOptions& options)
      : listener_(listener), epoll_(epoll_create1(EPOLL_CLOEXEC)), log_(options.dir, options.flush) {
    if (options.commit_thread) commit_thread_ = std::make_unique<CommitThread>(log_);
    Watch(listener_, EPOLL_CTL_ADD, EPOLLIN);
    if (commit_thread_) Watch(commit_thread_->done_fd(), EPOLL_CTL_ADD, EPOLLIN);
  }

  [[noreturn]] void Run() {
    while (true) {
      std::array<epoll_event, 256> events;
      const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) Handle(events[static_cast<std::size_t>(i)]);
      CommitTurn();
    }
  }

 private:
  void Watch(int fd, int operation, std::uint32_t interest) const {
    epoll_event event{};
    event.events = interest;
    event.data.fd = fd;
    epoll_ctl(epoll_, operation, fd, &event);
  }

  void Handle(const epoll_event& event) {
    const int fd = event.data.fd;
    if (fd == listener_) return Accept();
    if (commit_thread_ && fd == commit_thread_->done_fd()) return FinishCommit();
    if ((event.events & EPOLLOUT) != 0) Send(fd, 0);
    if ((event.events & EPOLLIN) != 0 && group_.used < kBufferBytes - kReadBytes) Receive(fd);
  }

  void Accept() {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (peers_.size() <= static_cast<std::size_t>(fd)) peers_.resize(static_cast<std::size_t>(fd) + 1);
    peers_[static_cast<std::size_t>(fd)] = Peer{std::vector<char>(256u << 10), 0, {}};
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    Watch(fd, EPOLL_CTL_ADD, EPOLLIN);
  }

  void Receive(int fd) {
    Peer& peer = peers_[static_cast<std::size_t>(fd)];
    const ssize_t got = recv(fd, peer.in.data() + peer.in_bytes, peer.in.size() - peer.in_bytes, 0);
    if (got == 0) {
      close(fd);
      return;
    }
    if (got < 0) return;
    peer.in_bytes += static_cast<std::size_t>(got);
    std::string_view rest(peer.in.data(), peer.in_bytes);
    std::size_t frames = 0;
    while (rest.size() >= kFrameHeaderBytes) {
      std::uint32_t length = 0;
      std::memcpy(&length, rest.data(), sizeof length);
      if (rest.size() < kFrameHeaderBytes + length) break;
      TakeFrame(rest.substr(0, kFrameHeaderBytes + length));
      rest.remove_prefix(kFrameHeaderBytes + length);
      ++frames;
    }
    std::memmove(peer.in.data(), rest.data(), rest.size());
    peer.in_bytes = rest.size();
    if (peer.in_bytes == peer.in.size()) peer.in.resize(peer.in.size() * 2);
    if (frames > 0) group_.answers.emplace_back(fd, frames);
  }

  void TakeFrame(std::string_view frame) {
    std::uint32_t checksum = 0;
    std::memcpy(&checksum, frame.data() + 4, sizeof checksum);
    const std::string_view payload = frame.substr(kFrameHeaderBytes);
    SLUICE_CHECK(protocol::Crc32c(payload) == checksum);
    char* to = group_.bytes.data() + group_.used;
    std::memcpy(to, frame.data(), kFrameHeaderBytes);
    ++next_offset_;
    std::memcpy(to + kFrameHeaderBytes, &next_offset_, sizeof next_offset_);
    std::memcpy(to + kRecordHeaderBytes, payload.data(), payload.size());
    group_.used += kRecordHeaderBytes + payload.size();
  }

  void CommitTurn() {
    if (group_.used == 0) return;
    if (commit_thread_) {
      if (!commit_thread_->busy()) commit_thread_->Submit(group_);
      return;
    }
    log_.Commit(group_);
    for (const auto& [fd, frames] : group_.answers) Send(fd, frames);
    group_.Clear();
  }

  void FinishCommit() {
    std::uint64_t count = 0;
    if (read(commit_thread_->done_fd(), &count, sizeof count) != sizeof count) return;
    std::vector<std::pair<int, std::size_t>> answers;
    commit_thread_->TakeAnswers(answers);
    for (const auto& [fd, frames] : answers) Send(fd, frames);
  }

  void Send(int fd, std::size_t frames) {
    std::string& out = peers_[static_cast<std::size_t>(fd)].out;
    const bool waited = !out.empty();
    out.append(frames * IngestBound::kAnswerBytes, 'a');
    const ssize_t sent = send(fd, out.data(), out.size(), MSG_NOSIGNAL);
    if (sent > 0) out.erase(0, static_cast<std::size_t>(sent));
    if (waited != !out.empty()) Watch(fd, EPOLL_CTL_MOD, out.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
  }

  const int listener_;
  const int epoll_;
  BareLog log_;
  std::unique_ptr<CommitThread> commit_thread_;
  std::vector<Peer> peers_;
  Group group_;
  std::uint64_t next_offset_ = 0;
};

Result<std::pair<int, std::uint16_t>> Listen() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 || listen(fd, 1024) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return Error(Code::kUnavailable, fmt::format("cannot listen on loopback: {}", std::strerror(errno)));
  }
  return std::pair(fd, ntohs(address.sin_port));
}

}  // namespace

Result<std::unique_ptr<IngestBound>> IngestBound::Start(BoundOptions options) {
  auto listener = Listen();
  if (!listener) return Error(listener.error());
  std::array<int, 2> ready{};  // the child closes its end when its file is filled and its doors are open
  if (pipe2(ready.data(), O_CLOEXEC) != 0)
    return Error(Code::kUnavailable, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  const int pid = fork();
  if (pid < 0) return Error(Code::kUnavailable, fmt::format("cannot fork: {}", std::strerror(errno)));
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    BareServer server(listener->first, options);
    close(ready[1]);
    server.Run();
  }
  close(listener->first);
  close(ready[1]);
  char nothing = 0;
  while (read(ready[0], &nothing, 1) < 0 && errno == EINTR) {
  }
  close(ready[0]);
  return std::unique_ptr<IngestBound>(new IngestBound(pid, listener->second));
}

IngestBound::~IngestBound() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string IngestBound::Request(std::string_view payload) {
  std::string request(kFrameHeaderBytes, '\0');
  const auto length = static_cast<std::uint32_t>(payload.size());
  const std::uint32_t checksum = protocol::Crc32c(payload);
  std::memcpy(request.data(), &length, sizeof length);
  std::memcpy(request.data() + 4, &checksum, sizeof checksum);
  return request.append(payload);
}

}  // namespace sluice::tools
