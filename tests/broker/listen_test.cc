// What a door says of connections that it cannot accept, and which ones it leaves waiting.
#include "broker/api/listen.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "broker/api/acceptor.h"
#include "storage/env/posix_env.h"
#include "tests/broker/stderr_of.h"
#include "tests/catch.h"

namespace sluice::broker {
namespace {

TEST_CASE("AcceptFailureLog Write: one line a minute, which says what to raise", "[broker]") {
  constexpr std::int64_t kSecondNs = 1'000'000'000;
  AcceptFailureLog failures("native");
  const std::string text = StderrOf([&] {
    for (int tenth = 0; tenth <= 610; ++tenth) {
      failures.Write(boost::asio::error::no_descriptors, 100 * kSecondNs + tenth * kSecondNs / 10);
    }
  });
  INFO(text);
  CHECK(std::ranges::count(text, '\n') == 2);
  CHECK(text.find("ulimit -n") != std::string::npos);
  CHECK(text.find("door=\"native\"") != std::string::npos);
  CHECK(text.find("not_logged=599") != std::string::npos);
}

// Lowers the limit of open files for a time.
class FileLimit {
 public:
  explicit FileLimit(rlim_t files) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit lower{.rlim_cur = files, .rlim_max = before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &lower) == 0);
  }
  ~FileLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_CASE("Acceptor: leaves descriptors to the log, and takes who has waited when there are others", "[broker]") {
  namespace asio = boost::asio;
  constexpr rlim_t kFiles = 300;  // 150 for connections
  constexpr std::size_t kClients = 90;
  const FileLimit limit(kFiles);
  const auto env = storage::NewPosixEnv();
  EventLoops loops(1);
  Acceptor acceptor(loops, 1, env->clock(), "native");
  REQUIRE(acceptor.Listen("127.0.0.1", 0).ok());
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Acceptor::Socket> accepted;
  std::size_t count = 0;
  const auto wait_for = [&](std::size_t wanted) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(10), [&] { return count >= wanted; });
  };
  asio::io_context context;
  std::vector<Acceptor::Socket> clients;  // connected by the system before they are accepted
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.emplace_back(context);
    clients.back().connect({asio::ip::make_address("127.0.0.1"), acceptor.port()});
  }
  acceptor.Start([&](std::size_t, Acceptor::Socket socket) {
    const std::lock_guard lock(mutex);
    accepted.push_back(std::move(socket));
    ++count;
    changed.notify_all();
  });
  REQUIRE(wait_for(30));
  std::vector<int> files;
  for (int i = 0; i < 140; ++i) files.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(std::ranges::count(files, -1) == 0);
  for (const int file : files) ::close(file);
  for (std::size_t taken = 0; taken < kClients;) {
    {
      const std::lock_guard lock(mutex);
      taken = count;
      accepted.clear();
    }
    REQUIRE((taken == kClients || wait_for(taken + 1)));
  }
  acceptor.Stop();
  accepted.clear();
  loops.DrainBlocking();
  loops.Stop();
}

}  // namespace
}  // namespace sluice::broker
