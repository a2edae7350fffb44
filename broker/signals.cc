// A handler that writes into a pipe: all that a signal handler may safely do; and two signals ignored.
#include "broker/signals.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include "protocol/check.h"

namespace sluice::broker {
namespace {

constexpr std::array kSignals = {SIGTERM, SIGINT, SIGHUP};  // the last: the terminal was closed

// What the handler may touch.
std::atomic<int> signals_seen{0};
std::atomic<int> pipe_write{-1};
std::atomic<int> exit_code{0};

// What the one StopSignals keeps.
int pipe_read = -1;
std::array<struct sigaction, kSignals.size()> previous;

void OnSignal(int number) {
  if (signals_seen.fetch_add(1) > 0) ::_exit(exit_code.load());
  const int saved = errno;
  const auto byte = static_cast<char>(number);
  [[maybe_unused]] const ssize_t written = ::write(pipe_write.load(), &byte, 1);
  errno = saved;
}

}  // namespace

void IgnoreWriteSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

StopSignals::StopSignals(int second_signal_exit_code) {
  SLUICE_CHECK(pipe_write.load() == -1);
  std::array<int, 2> ends{};
  SLUICE_CHECK(::pipe(ends.data()) == 0);
  pipe_read = ends[0];
  pipe_write = ends[1];
  signals_seen = 0;
  exit_code = second_signal_exit_code;
  struct sigaction action{};
  action.sa_handler = OnSignal;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], &action, &previous[i]);
    if (kSignals[i] == SIGHUP && previous[i].sa_handler == SIG_IGN)
      ::sigaction(SIGHUP, &previous[i], nullptr);  // nohup
  }
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &previous[i], nullptr);
  ::close(pipe_write.exchange(-1));
  ::close(pipe_read);
}

int StopSignals::Wait() {
  char number = 0;
  while (::read(pipe_read, &number, 1) < 0 && errno == EINTR) {
  }
  return number;
}

}  // namespace sluice::broker
