// The bare ingest server; see the header. Measured facts behind it: docs/performance.md.
#include "tools/bench/ingest_bound.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "protocol/check.h"
#include "protocol/crc32c.h"
#include "tools/bench/bound_framing.h"

namespace sluice::tools {

namespace {

constexpr std::size_t kBufferBytes = 64u << 20;
constexpr std::size_t kFileBytes = 1u << 30;
constexpr std::size_t kReadBytes = 1u << 20;
constexpr std::size_t kFrameHeaderBytes = 8;
constexpr std::size_t kRecordHeaderBytes = 24;  // what a broker adds at least: length, checksum, offset

/// Answers to several sockets, one behind the other.
struct Answers {
  std::string text;
  std::vector<std::pair<int, std::size_t>> sizes;  // socket, bytes

  void Clear() {
    text.clear();
    sizes.clear();
  }
};

/// Requests that wait for their commit, and who gets the answers.
struct Group {
  std::vector<char> bytes = std::vector<char>(kBufferBytes + kReadBytes);
  std::size_t used = 0;
  Answers answers;

  void Clear() {
    used = 0;
    answers.Clear();
  }
};

class FrameFraming : public BoundFraming {
 public:
  std::size_t RequestBytes(std::string_view bytes) const override {
    std::uint32_t length = 0;
    if (bytes.size() < kFrameHeaderBytes) return 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    return kFrameHeaderBytes + length;
  }

  std::size_t Take(std::string_view request, char* to, std::string& answers) override {
    std::uint32_t checksum = 0;
    std::memcpy(&checksum, request.data() + 4, sizeof checksum);
    const std::string_view payload = request.substr(kFrameHeaderBytes);
    SLUICE_CHECK(protocol::Crc32c(payload) == checksum);
    std::memcpy(to, request.data(), kFrameHeaderBytes);
    ++next_offset_;
    std::memcpy(to + kFrameHeaderBytes, &next_offset_, sizeof next_offset_);
    std::memcpy(to + kRecordHeaderBytes, payload.data(), payload.size());
    answers.append(IngestBound::kAnswerBytes, 'a');
    return kRecordHeaderBytes + payload.size();
  }

 private:
  std::uint64_t next_offset_ = 0;
};

std::unique_ptr<BoundFraming> MakeFraming(BoundOptions::Protocol protocol) {
  if (protocol == BoundOptions::Protocol::kFrames) return std::make_unique<FrameFraming>();
  return MakeKinesisFraming(protocol == BoundOptions::Protocol::kSignedKinesis);
}

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
  void TakeAnswers(Answers& answers) {
    const std::scoped_lock lock(mutex_);
    std::swap(answers, working_.answers);
    working_.answers.Clear();
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
      : listener_(listener),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        framing_(MakeFraming(options.protocol)),
        log_(options.dir, options.flush) {
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
    if ((event.events & EPOLLOUT) != 0) Send(fd, {});
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
    const std::size_t room = peer.in.size() - BoundFraming::kPaddingBytes - peer.in_bytes;
    const ssize_t got = recv(fd, peer.in.data() + peer.in_bytes, room, 0);
    if (got == 0) {
      close(fd);
      return;
    }
    if (got < 0) return;
    peer.in_bytes += static_cast<std::size_t>(got);
    const std::size_t taken = TakeRequests(fd, std::string_view(peer.in.data(), peer.in_bytes));
    peer.in_bytes -= taken;
    if (taken > 0) std::memmove(peer.in.data(), peer.in.data() + taken, peer.in_bytes);
    if (peer.in_bytes + BoundFraming::kPaddingBytes == peer.in.size()) peer.in.resize(peer.in.size() * 2);
  }

  /// Works on all whole requests; gives their bytes.
  std::size_t TakeRequests(int fd, std::string_view bytes) {
    std::string_view rest = bytes;
    const std::size_t answered = group_.answers.text.size();
    while (true) {
      const std::size_t size = framing_->RequestBytes(rest);
      if (size == 0 || rest.size() < size) break;
      group_.used += framing_->Take(rest.substr(0, size), group_.bytes.data() + group_.used, group_.answers.text);
      rest.remove_prefix(size);
    }
    const std::size_t answer_bytes = group_.answers.text.size() - answered;
    if (answer_bytes > 0) group_.answers.sizes.emplace_back(fd, answer_bytes);
    return bytes.size() - rest.size();
  }

  void CommitTurn() {
    if (group_.used == 0) return;
    if (commit_thread_) {
      if (!commit_thread_->busy()) commit_thread_->Submit(group_);
      return;
    }
    log_.Commit(group_);
    SendAll(group_.answers);
    group_.Clear();
  }

  void FinishCommit() {
    std::uint64_t count = 0;
    if (read(commit_thread_->done_fd(), &count, sizeof count) != sizeof count) return;
    done_.Clear();
    commit_thread_->TakeAnswers(done_);
    SendAll(done_);
  }

  void SendAll(const Answers& answers) {
    std::string_view text = answers.text;
    for (const auto& [fd, bytes] : answers.sizes) {
      Send(fd, text.substr(0, bytes));
      text.remove_prefix(bytes);
    }
  }

  void Send(int fd, std::string_view answer) {
    std::string& out = peers_[static_cast<std::size_t>(fd)].out;
    const bool waited = !out.empty();
    if (waited) answer = out.append(answer);
    const ssize_t sent = send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    if (sent > 0) answer.remove_prefix(static_cast<std::size_t>(sent));
    out = std::string(answer);
    if (waited != !out.empty()) Watch(fd, EPOLL_CTL_MOD, out.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
  }

  const int listener_;
  const int epoll_;
  const std::unique_ptr<BoundFraming> framing_;
  BareLog log_;
  std::unique_ptr<CommitThread> commit_thread_;
  std::vector<Peer> peers_;
  Group group_;
  Answers done_;  // of the commit thread's last group
};

}  // namespace

Result<std::unique_ptr<IngestBound>> IngestBound::Start(BoundOptions options) {
  auto process = BoundProcess::Start([&](int listener, const std::function<void()>& ready) {
    BareServer server(listener, options);
    ready();
    server.Run();
  });
  if (!process) return Error(process.error());
  return std::unique_ptr<IngestBound>(new IngestBound(std::move(*process)));
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
