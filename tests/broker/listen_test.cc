// What a door says of connections that it cannot accept.
#include "broker/api/listen.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "tests/catch.h"

namespace sluice::broker {
namespace {

/// What is written to stderr while `action` runs; less than a pipe takes.
template <typename Action>
std::string StderrOf(const Action& action) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  ::close(ends[1]);
  action();
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  std::string text(16u << 10, '\0');
  const ssize_t got = ::read(ends[0], text.data(), text.size());
  ::close(ends[0]);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return text;
}

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

}  // namespace
}  // namespace sluice::broker
