// posix_spawn, three pipes, poll.
#include "broker/delivery/processing/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "protocol/check.h"
#include "storage/env/posix_calls.h"

namespace sluice::delivery {
namespace {

using storage::FileDescriptor;
using storage::Uninterrupted;

constexpr int kStopPollMs = 50;
constexpr int kReapPollMs = 5;
constexpr int kReapWaitMs = 1000;  // for a program that has closed its output to end by itself
constexpr int kCannotRun = 126;    // and 127, as shells say it
constexpr std::size_t kReadBytes = 64u << 10;
constexpr std::size_t kErrorLineBytesMax = 4096;
constexpr int kErrorReadsMax = 16;

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

Pipe NewPipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) ends = {-1, -1};
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

void MakeNonBlocking(const FileDescriptor& fd) {
  SLUICE_CHECK(::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK) == 0);
}

/// To a reader that may have gone: EPIPE and no SIGPIPE, whatever the process makes of that; pipes have no
/// MSG_NOSIGNAL.
ssize_t WriteWithoutSignal(const FileDescriptor& pipe, std::string_view bytes) {
  sigset_t broken_pipe;
  sigset_t before;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  SLUICE_CHECK(::pthread_sigmask(SIG_BLOCK, &broken_pipe, &before) == 0);
  const ssize_t written = Uninterrupted([&] { return ::write(pipe.get(), bytes.data(), bytes.size()); });
  const int error = errno;
  constexpr timespec kNoWait{};
  if (written < 0 && error == EPIPE) Uninterrupted([&] { return ::sigtimedwait(&broken_pipe, nullptr, &kNoWait); });
  SLUICE_CHECK(::pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
  errno = error;
  return written;
}

/// The broker's environment without its settings.
std::vector<char*> EnvironmentOfChild() {
  std::vector<char*> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("SLUICE_")) variables.push_back(*entry);
  }
  variables.push_back(nullptr);
  return variables;
}

/// What posix_spawn is told: a group of its own, default signals, the three ends and nothing else.
class SpawnPlan {
 public:
  SpawnPlan(const Pipe& in, const Pipe& out, const Pipe& error) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, in.read.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, out.write.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, error.write.get(), STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  /// An errno; 0 where it runs.
  int Spawn(const std::vector<std::string>& command, pid_t& pid) const {
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    return ::posix_spawn(&pid, arguments.front(), &actions_, &attributes_, arguments.data(),
                         EnvironmentOfChild().data());
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

class Child final : public ChildProcess {
 public:
  Child(pid_t pid, FileDescriptor in, FileDescriptor out, FileDescriptor error, ErrorLines error_lines)
      : pid_(pid),
        in_(std::move(in)),
        out_(std::move(out)),
        error_(std::move(error)),
        error_lines_(std::move(error_lines)) {
    for (const FileDescriptor* fd : {&in_, &out_, &error_}) MakeNonBlocking(*fd);
  }
  ~Child() override {
    if (!reaped_) Kill();
    ReadErrors();
    if (!error_text_.empty()) error_lines_(error_text_);
  }

  bool Ready() override {
    if (reaped_ || ended_) return false;
    ReadErrors();
    pollfd out{.fd = out_.get(), .events = POLLIN, .revents = 0};
    return answer_.empty() && ::poll(&out, 1, 0) == 0;  // its end is an event, too
  }

  Result<std::string> Exchange(std::string_view line, const ExchangeBounds& bounds,
                               const std::function<bool()>& stop) override {
    const FileDescriptor timer = NewTimer(bounds.timeout_ms);
    std::string request(line);
    request += '\n';
    std::string_view unsent = request;
    for (;;) {
      if (stop()) return Error(Code::kUnavailable, "cut off, as the broker or the delivery stream is asked to stop");
      std::array<pollfd, 4> fds{{{.fd = unsent.empty() ? -1 : in_.get(), .events = POLLOUT, .revents = 0},
                                 {.fd = out_.get(), .events = POLLIN, .revents = 0},
                                 {.fd = error_ended_ ? -1 : error_.get(), .events = POLLIN, .revents = 0},
                                 {.fd = timer.get(), .events = POLLIN, .revents = 0}}};
      if (::poll(fds.data(), fds.size(), kStopPollMs) <= 0) continue;
      if (fds[0].revents != 0) Send(unsent);
      if (fds[2].revents != 0) ReadErrors();
      if (fds[1].revents != 0) {
        if (auto answer = ReadAnswer(bounds.answer_bytes_max)) return std::move(*answer);
      }
      if (fds[3].revents != 0) {
        return Error(Code::kTimedOut, fmt::format("the program has not answered in {} ms", bounds.timeout_ms));
      }
    }
  }

 private:
  /// Readable when the time is over.
  static FileDescriptor NewTimer(std::int64_t timeout_ms) {
    FileDescriptor timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    SLUICE_CHECK(timer.valid());
    itimerspec when{};
    when.it_value = {.tv_sec = timeout_ms / 1000, .tv_nsec = (timeout_ms % 1000) * 1'000'000 + 1};
    SLUICE_CHECK(::timerfd_settime(timer.get(), 0, &when, nullptr) == 0);
    return timer;
  }

  /// A program that does not want the rest may answer nevertheless.
  void Send(std::string_view& unsent) const {
    const ssize_t sent = WriteWithoutSignal(in_, unsent);
    if (sent >= 0) unsent.remove_prefix(static_cast<std::size_t>(sent));
    if (sent < 0 && errno != EAGAIN) unsent = {};
  }

  /// nullopt: not all of it is there yet.
  std::optional<Result<std::string>> ReadAnswer(std::size_t bytes_max) {
    std::array<char, kReadBytes> buffer;
    const ssize_t got = Uninterrupted([&] { return ::read(out_.get(), buffer.data(), buffer.size()); });
    if (got < 0 && errno == EAGAIN) return std::nullopt;
    if (got <= 0) return Error(Ended());
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    const std::size_t end = bytes.find('\n');
    answer_.append(bytes.substr(0, end));
    if (answer_.size() > bytes_max) {
      return Error(Code::kResourceExhausted, fmt::format("the program answers with more than {} bytes", bytes_max));
    }
    if (end == bytes.npos) return std::nullopt;
    if (end + 1 < bytes.size()) return Error(Code::kFailedPrecondition, "the program has said more than one line");
    return std::exchange(answer_, {});
  }

  void ReadErrors() {
    std::array<char, kReadBytes> buffer;
    ssize_t got = 1;
    for (int reads = 0; reads < kErrorReadsMax && got > 0; ++reads) {  // it may write faster than we read
      got = Uninterrupted([&] { return ::read(error_.get(), buffer.data(), buffer.size()); });
      if (got <= 0) break;
      for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(got))) {
        if (c != '\n' && error_text_.size() < kErrorLineBytesMax) error_text_ += c;
        if (c == '\n') error_lines_(std::exchange(error_text_, {}));
      }
    }
    error_ended_ = got == 0;
  }

  /// It has closed its output: says how it ended, and ends it where it has not.
  Status Ended() {
    ended_ = true;
    ReadErrors();
    int status = 0;
    for (int waited_ms = 0; waited_ms < kReapWaitMs; waited_ms += kReapPollMs) {
      siginfo_t info{};
      // It stays a zombie until the group is killed: so long its number is nobody else's.
      const bool over = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
      if (over && info.si_pid == pid_) {
        status = Kill();
        ReadErrors();
        if (WIFSIGNALED(status))
          return Status(Code::kFailedPrecondition, fmt::format("the program was ended by signal {}", WTERMSIG(status)));
        const int code = WEXITSTATUS(status);
        const bool cannot_run = code == kCannotRun || code == kCannotRun + 1;
        return Status(cannot_run ? Code::kUnavailable : Code::kFailedPrecondition,
                      fmt::format("the program has ended with exit code {}", code));
      }
      (void)::poll(nullptr, 0, kReapPollMs);
    }
    return Status(Code::kFailedPrecondition, "the program has closed its standard output");
  }

  /// All of its group. Returns how it ended.
  int Kill() {
    int status = 0;
    ::kill(-pid_, SIGKILL);
    Uninterrupted([&] { return ::waitpid(pid_, &status, 0); });
    reaped_ = true;
    return status;
  }

  const pid_t pid_;
  const FileDescriptor in_;
  const FileDescriptor out_;
  const FileDescriptor error_;
  const ErrorLines error_lines_;
  std::string answer_;      // of a line that has begun
  std::string error_text_;  // likewise
  bool error_ended_ = false;
  bool ended_ = false;
  bool reaped_ = false;
};

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::Start(const std::vector<std::string>& command,
                                                          ErrorLines error_lines) {
  SLUICE_CHECK(!command.empty());
  Pipe in = NewPipe();
  Pipe out = NewPipe();
  Pipe error = NewPipe();
  if (!in.read.valid() || !out.read.valid() || !error.read.valid()) {
    return Error(Code::kUnavailable, fmt::format("cannot run {}: no pipes: {}", command.front(), std::strerror(errno)));
  }
  pid_t pid = -1;
  if (const int error_number = SpawnPlan(in, out, error).Spawn(command, pid); error_number != 0) {
    return Error(Code::kUnavailable, fmt::format("cannot run {}: {}", command.front(), std::strerror(error_number)));
  }
  return std::make_unique<Child>(pid, std::move(in.write), std::move(out.read), std::move(error.read),
                                 std::move(error_lines));
}

RestartedProcess::RestartedProcess(std::vector<std::string> command, ChildProcess::ErrorLines error_lines)
    : command_(std::move(command)), error_lines_(std::move(error_lines)) {}

bool RestartedProcess::Running() {
  if (child_ != nullptr && !child_->Ready()) child_.reset();
  return child_ != nullptr;
}

Result<std::string> RestartedProcess::Exchange(std::string_view line, const ExchangeBounds& bounds,
                                               const std::function<bool()>& stop) {
  if (!Running()) {
    auto started = ChildProcess::Start(command_, error_lines_);
    if (!started) return Error(started.error());
    child_ = std::move(*started);
  }
  Result<std::string> answer = child_->Exchange(line, bounds, stop);
  if (!answer) child_.reset();
  return answer;
}

}  // namespace sluice::delivery
